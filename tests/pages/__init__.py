"""Judges of the pages that readers see: `make pages` asks them."""
