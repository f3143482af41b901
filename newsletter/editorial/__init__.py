"""What an editor does with an issue, whichever door they come through: take it in, preview, approve, send."""
