"""Reading and judging an issue: text in, values and diagnostics out. Pure: no database, network, clock or settings."""
