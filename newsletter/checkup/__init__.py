"""Looking over all that a newsletter needs to be sent: what is wrong, and how to mend it."""
