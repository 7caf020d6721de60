"""Group calls: who hosts, who is invited, who is there, and how they end."""
