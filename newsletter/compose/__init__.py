"""Choosing: which stories of an issue one reader gets, in which order. Pure functions over values."""
