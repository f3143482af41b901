"""Compose one structured issue, send every subscriber the stories of their topics, account for every message."""
