"""A simulated month: what happens in it, what the rules make of that, and what the newsletter did."""
