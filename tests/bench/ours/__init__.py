"""Our side of the measurements: programs that harness.Driver runs."""
