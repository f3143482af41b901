"""SPF (RFC 7208): the record of the return path's domain, as far as it can be judged without a sending address."""

from dataclasses import dataclass

from newsletter.checkup.dns_records import Names
from newsletter.checkup.findings import Finding, ok, warning, wrong

MOST_LOOK_UPS = 10
"""RFC 7208 §4.6.4: a record that needs more is an error, and none at all is as good."""
_LOOKED_UP = ("include", "a", "mx", "ptr", "exists")
_MECHANISMS = (*_LOOKED_UP, "all", "ip4", "ip6")


@dataclass(slots=True)
class _Reading:
    """What reading a record and those it includes has come to."""

    look_ups: int = 0
    trouble: str = ""
    all_qualifier: str = ""


def spf(names: Names, domain: str) -> Finding:
    """Judge the SPF record of a domain: there, the only one, readable, and not open to everybody."""
    records = _records(names, domain)
    if not records:
        what = f"{domain} has no SPF record; Gmail, Yahoo and Microsoft refuse bulk mail without one"
        advice = f"Publish a TXT record at {domain}: v=spf1 include:<what your mail provider names> ~all"
        return wrong("SPF", what, advice)
    if len(records) > 1:
        what = f"{domain} has {len(records)} SPF records, and receivers then heed none (RFC 7208 §4.5)"
        return wrong("SPF", what, "Make one of them: a single v=spf1 with all the includes, and ~all at the end.")
    reading = _Reading()
    _read(names, domain, records[0], reading)
    return _judge(domain, records[0], reading)


def _judge(domain: str, record: str, reading: _Reading) -> Finding:
    if reading.trouble:
        what = f"receivers cannot use the record of {domain}: {reading.trouble}"
        return wrong("SPF", f"{what} · {record}", "Mend the record; until then it counts as an error.")
    if reading.all_qualifier == "+":
        advice = "End it with ~all, or with -all once every server that sends for you is named."
        return wrong("SPF", f"the record of {domain} lets everybody send in its name · {record}", advice)
    if reading.all_qualifier in ("", "?"):
        what = f"the record of {domain} says nothing about servers it does not name · {record}"
        return warning("SPF", what, "End it with ~all.")
    return ok("SPF", f"{domain}: {record}")


def _records(names: Names, domain: str) -> list[str]:
    """RFC 7208 §4.5: the version is followed by a blank or by nothing."""
    return [text for text in names.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]


def _read(names: Names, domain: str, record: str, reading: _Reading, included: bool = False) -> None:
    """Count look-ups and find faults, into what a record includes or redirects to; stops at the first trouble."""
    redirect = ""
    closed = ""
    for term in record.split()[1:]:
        name, qualifier, target = _taken_apart(term)
        if qualifier == "=":
            redirect = target if name == "redirect" else redirect
            continue
        if name not in _MECHANISMS:
            reading.trouble = f"it does not know {term!r}"
        elif name == "all":
            closed = qualifier
            break
        elif name in _LOOKED_UP:
            _look_up(names, target if name == "include" else "", reading)
        if reading.trouble:
            return
    if redirect and not closed:  # RFC 7208 §6.1: `all` beats redirect
        _look_up(names, redirect, reading, included)
    elif not included:
        reading.all_qualifier = closed


def _look_up(names: Names, target: str, reading: _Reading, included: bool = True) -> None:
    reading.look_ups += 1
    if reading.look_ups > MOST_LOOK_UPS:
        reading.trouble = f"it takes more than {MOST_LOOK_UPS} look-ups (RFC 7208 §4.6.4)"
    elif target and "%" not in target:  # a macro depends on the mail at hand
        records = _records(names, target)
        if len(records) != 1:
            how_many = f"{len(records)} SPF records" if records else "no SPF record"
            reading.trouble = f"it leans on {target}, which has {how_many}"
        else:
            _read(names, target, records[0], reading, included)


def _taken_apart(term: str) -> tuple[str, str, str]:
    """Name, qualifier (`=` for a modifier) and domain of a term (RFC 7208 §4.6.1)."""
    head = term.split(":")[0].split("/")[0]
    if "=" in head:
        name, _, target = term.partition("=")
        return name.lower(), "=", target
    qualifier = term[0] if term[0] in "+-~?" else "+"
    name, _, target = term.removeprefix(term[0] if term[0] in "+-~?" else "").partition(":")
    return name.split("/")[0].lower(), qualifier, target.split("/")[0]
