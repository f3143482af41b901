"""The `tag=value; tag=value` lists that DKIM and DMARC records are made of."""


def tags(record: str) -> dict[str, str]:
    """The tags of a list (RFC 6376 §3.2), of a repeated one the first; parts without `=` are left out."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip(), value.strip())
    return found
