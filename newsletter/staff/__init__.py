"""The people who run the newsletter: accounts, sessions, rights, and the record of what they did."""
