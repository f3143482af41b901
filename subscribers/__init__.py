"""People and what they asked for: topics, preferences, consent, tokens. Sends nothing, imports no other room."""
