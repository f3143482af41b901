"""Looking over an issue before it is approved: what would go wrong in readers' mailboxes, and how to mend it."""
