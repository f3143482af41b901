"""Checks of what the list of mails shows: subject and preview line, of every edition that somebody gets."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from newsletter.compose.edition import Edition
from newsletter.content.identity import title_key
from newsletter.render.size import full_edition
from newsletter.render.spans import clean
from newsletter.render.widths import columns
from newsletter.render.wording import SUBJECT_COLUMNS, preheader_line, subject_line
from newsletter.review.specimen import Specimen, title_of
from newsletter.review.verdicts import Check, Place, Verdict, judged, not_checked

_MOST_EDITIONS = 500
"""Distinct editions looked at, those that most readers get first."""
_LEAST_CAPITALS = 10
"""SpamAssassin's rule SUBJ_ALL_CAPS leaves shorter subjects alone, and those of one word."""
_NAMES_A_STORY_CHARACTERS = 6
NAMES = (*("subject-empty", "subject-long", "subject-capitals", "subject-marks", "subject-names-story", "preheader"),)


@dataclass(frozen=True, slots=True)
class Line:
    """What one edition shows in the list of mails, and how many readers get it."""

    subject: str
    preheader: str
    readers: int


def subject_checks(specimen: Specimen) -> Iterator[Check]:
    """Every rule for subjects, on each distinct subject."""
    if not specimen.mails:
        yield from (not_checked(name, "no_mail") for name in NAMES)
        return
    lines = list(dict.fromkeys(lines_of(specimen)))
    subjects = dict.fromkeys(line.subject for line in lines)
    rules: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("subject-empty", lambda subject: not any(map(str.isalnum, subject))),
        ("subject-long", lambda subject: columns(subject) > SUBJECT_COLUMNS),
        ("subject-capitals", shouts),
        ("subject-marks", lambda subject: unicodedata.normalize("NFKC", subject).count("!") > 1),
    )
    for name, breaks in rules:
        broken = [Place(subject) for subject in subjects if breaks(subject)]
        yield judged(name, Verdict.WARNING, broken, subjects=len(subjects), most=SUBJECT_COLUMNS)
    yield _names_a_story(specimen)
    repeating = [Place(line.preheader, line.subject) for line in lines if _repeats(line)]
    fixed = clean(specimen.saved.issue.preheader).strip()
    unused = [Place(fixed, line.subject) for line in lines if fixed and fixed in line.subject]
    yield judged("preheader", Verdict.WARNING, list(dict.fromkeys((*repeating, *unused))))


def lines_of(specimen: Specimen) -> Iterator[Line]:
    """Subject and preview line of the distinct editions in each language; of the fullest one when nobody reads yet."""
    editions = {edition: readers for edition, readers in specimen.reach.coverage.editions.items() if edition}
    for mail in specimen.mails.values():
        stories = {story.id: story for story in mail.stories}
        chosen = sorted(editions, key=lambda one: -editions[one])[:_MOST_EDITIONS] or [full_edition(mail)]
        for edition in chosen:
            told = [stories[story] for story in edition.stories]
            titles = [story.name for story in told]
            subject = subject_line(mail.labels, mail.subject, titles)
            preheader = preheader_line(mail.labels, mail.preheader, subject, titles, told[0].teaser)
            yield Line(subject, preheader, editions.get(edition, 0))


def shouts(subject: str) -> bool:
    """Whether a subject is in capitals throughout: several words, and enough letters that could be small."""
    letters = [letter for letter in subject if letter.isupper() or letter.islower()]
    several = len([word for word in subject.split() if any(map(str.isalpha, word))]) > 1
    return several and len(letters) >= _LEAST_CAPITALS and all(map(str.isupper, letters))


def _repeats(line: Line) -> bool:
    subject, preheader = title_key(line.subject), title_key(line.preheader)
    return len(subject) >= _NAMES_A_STORY_CHARACTERS and subject in preheader


def _names_a_story(specimen: Specimen) -> Check:
    """A subject fixed for everybody that names a story which some readers do not get."""
    subject = title_key(specimen.saved.issue.subject)
    editions = specimen.reach.coverage.editions
    missing = []
    for story in specimen.stories if subject else ():
        title = title_key(title_of(story))
        if min(len(title), len(subject)) >= _NAMES_A_STORY_CHARACTERS and (title in subject or subject in title):
            without = sum(readers for edition, readers in editions.items() if _lacks(edition, story.id))
            if without or not any(editions):
                missing.append(Place(title_of(story), str(without), specimen.line_of(story)))
    return judged("subject-names-story", Verdict.WARNING, missing)


def _lacks(edition: Edition, story: str) -> bool:
    return bool(edition) and story not in edition.stories
