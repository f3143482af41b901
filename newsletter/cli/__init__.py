"""The terminal's front door: a module per group of commands."""
