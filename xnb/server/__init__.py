"""The embedded server: accounts, 1:1 broadcasts, mailboxes and the bots one can call."""
