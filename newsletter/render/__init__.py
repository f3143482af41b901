"""Compile an issue once, cut it per edition, fill it per reader: values in, RFC 5322 bytes out."""
