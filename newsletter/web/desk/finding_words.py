"""What a diagnostic says, in the page's words: the sentence of its code and case, filled with its facts."""

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.content.diagnostics import Diagnostic, Fact

_MOST_CHARACTERS = 80
"""Of a text that is quoted: it stands at its line as well."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence; `in_english` says that it is the diagnostic's own message, for lack of words or of facts."""

    text: str
    in_english: bool = False


def said_of(finding: Diagnostic, words: Mapping[str, str]) -> Said:
    """A diagnostic as a sentence of these words; its own message where it was stored without facts."""
    name = f"{finding.code}_{finding.case}" if finding.case else finding.code
    sentence = words.get(f"finding_{name.replace('-', '_')}")
    if sentence is None:
        return Said(finding.message, in_english=True)
    try:
        return Said(sentence.format_map({name: _gap(name, fact, words) for name, fact in finding.facts.items()}))
    except KeyError:  # a sentence with gaps, and an older revision's finding without facts
        return Said(finding.message, in_english=True)


def _gap(name: str, fact: Fact, words: Mapping[str, str]) -> str:
    """A fact as it stands in a sentence: a text on one line, cut where it is long; a count with its thousands apart."""
    if isinstance(fact, int):
        return f"{fact:,}"
    text = " ".join(fact.split())
    if name == "known":
        return words["finding_or"].join(text.split(", "))
    return (text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…") or words["finding_nameless"]
