"""The room side of a group call: our place, the others, the steps of host and participant."""
