"""Looking over an issue before it is approved: every check with its verdict, and who would get what.

Most checks are made at once. Those that ask somebody else (links, the name server, SpamAssassin) or take long (the
trial of the theme) are made only when that is asked for.
"""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from newsletter.app import Newsletter
from newsletter.checkup.dns_records import Names
from newsletter.review import links
from newsletter.review.addresses import link_checks, story_links
from newsletter.review.mail_checks import mail_checks
from newsletter.review.parts import part_checks
from newsletter.review.readership import readership_checks
from newsletter.review.sending_checks import header_checks, sender_records, theme_trial
from newsletter.review.spam import spam_score
from newsletter.review.specimen import Specimen, gather
from newsletter.review.subjects import subject_checks
from newsletter.review.verdicts import SEVEREST, Check, Verdict, not_checked
from newsletter.review.writing import picture_checks, text_checks
from newsletter.storage.issues import Saved

SLOW = ("links-broken", "spam-score", "sender-records", "theme")
"""The checks that are made when asked for."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How many checks ended how."""

    passed: int
    warnings: int
    errors: int
    not_checked: int


@dataclass(frozen=True, slots=True)
class Review:
    """The checks of an issue's newest revision, the severest first, and what they looked at."""

    saved: Saved
    checks: tuple[Check, ...]
    specimen: Specimen

    @property
    def summary(self) -> Summary:
        """How many checks ended how."""
        counts = Counter(check.verdict for check in self.checks)
        order = (Verdict.OK, Verdict.WARNING, Verdict.ERROR, Verdict.NOT_CHECKED)
        return Summary(*(counts[verdict] for verdict in order))

    def with_earlier(self, earlier: Iterable[Check]) -> "Review":
        """The same with checks that were made before, where they are not made now."""
        kept = {check.name: check for check in earlier}
        checks = (
            kept.get(check.name, check) if check.verdict is Verdict.NOT_CHECKED else check for check in self.checks
        )
        return replace(self, checks=_ordered(checks))


def review(newsletter: Newsletter, slug: str, *, slow: bool = False, names: Names | None = None) -> Review:
    """Check the newest revision of an issue; `slow` makes the slow checks too, all at once, within about 35 seconds.

    `names` is the name server to ask, by default that of this machine. Raises `IssueRefused` for an unknown slug.
    """
    specimen = gather(newsletter, slug)
    urls = [link.url for link in story_links(specimen.stories)]
    with ThreadPoolExecutor(3) as aside:
        asked = (
            (
                aside.submit(spam_score, specimen),
                aside.submit(sender_records, specimen, names or Names()),
                aside.submit(theme_trial, specimen),
            )
            if slow
            else ()
        )
        known = links.check(newsletter, urls) if slow else links.known(newsletter, urls)
        now = newsletter.clock()
        made = [replace(one.result(), at=now) for one in asked]
    made = made or [not_checked(name, "later") for name in SLOW[1:]]
    return Review(specimen.saved, _ordered((*_quick(specimen, known), *made)), specimen)


def summary(newsletter: Newsletter, slug: str) -> Summary:
    """How the quick checks of an issue end; raises `IssueRefused` for an unknown slug."""
    return review(newsletter, slug).summary


def _quick(specimen: Specimen, known: dict[str, links.LinkResult]) -> tuple[Check, ...]:
    return (
        *text_checks(specimen),
        *mail_checks(specimen),
        *subject_checks(specimen),
        *readership_checks(specimen),
        *link_checks(specimen, known),
        *picture_checks(specimen),
        *part_checks(specimen),
        *header_checks(specimen),
    )


def _ordered(checks: Iterable[Check]) -> tuple[Check, ...]:
    return tuple(sorted(checks, key=lambda check: SEVEREST.index(check.verdict)))
