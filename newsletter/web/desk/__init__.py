"""The desk: pages where the staff write, look, approve, send and watch."""
