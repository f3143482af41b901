"""People and what they asked for: topics, preferences, states, suppression, tokens. Sends nothing, imports no other room."""
