"""Checks of the mail as it is made: that it can be made, its size, and how mail clients will show it."""

from collections.abc import Iterator

from newsletter.compose.edition import Edition
from newsletter.editorial.approval import MOST_HTML_BYTES, WARN_HTML_BYTES
from newsletter.render.assemble import assemble
from newsletter.render.compiled import CompiledIssue
from newsletter.render.contrast import ENOUGH, Faint, faint_texts, hardly_seen
from newsletter.render.message import html_of
from newsletter.render.size import largest_html_bytes
from newsletter.render.transfer import wire
from newsletter.review.client_support import support, unsupported
from newsletter.review.specimen import READER, Specimen, title_of
from newsletter.review.verdicts import Check, Place, Verdict, judged, not_checked, ok

_HEAVIEST = 5
_NEEDS_A_MAIL = ("size", "client-support", "contrast", "dark-mode", "small-text")


def mail_checks(specimen: Specimen) -> Iterator[Check]:
    """Everything that can be told from the finished mail."""
    if specimen.trouble:
        yield judged("mail-made", Verdict.ERROR, [Place("", specimen.trouble)])
    elif not specimen.mails:
        yield not_checked("mail-made", "no_story")
    else:
        yield ok("mail-made", bytes=len(specimen.message.data) if specimen.message else 0)
    if not specimen.mails:
        yield from (not_checked(name, "no_mail") for name in _NEEDS_A_MAIL)
        return
    yield size(specimen)
    yield _clients(specimen)
    faint = list(dict.fromkeys(one for page in specimen.pages for one in faint_texts(page)))
    yield judged("contrast", Verdict.WARNING, [_faint(one) for one in faint if not one.dark], least=ENOUGH)
    yield _dark(specimen, [_faint(one) for one in faint if one.dark])
    small = dict.fromkeys(said for page in specimen.pages for said in hardly_seen(page))
    yield judged("small-text", Verdict.WARNING, [Place(words, said) for words, said in small])


def sizes(specimen: Specimen) -> dict[str, int]:
    """The bytes of HTML of the fullest edition, by language."""
    return {language: largest_html_bytes(mail) for language, mail in specimen.mails.items()}


def size(specimen: Specimen) -> Check:
    """The fullest edition against what Gmail cuts off, and the stories that weigh most."""
    largest = max(sizes(specimen).values())
    values = {"kilobytes": round(largest / 1000, 1), "warn": WARN_HTML_BYTES // 1000, "most": MOST_HTML_BYTES // 1000}
    if largest <= WARN_HTML_BYTES:
        return ok("size", **values)
    verdict = Verdict.ERROR if largest > MOST_HTML_BYTES else Verdict.WARNING
    return judged("size", verdict, _heaviest(specimen), **values)


def most_read(specimen: Specimen) -> tuple[int, int]:
    """How many readers share the commonest edition, and the bytes of its HTML; zeros when nobody gets anything."""
    shared = {edition: readers for edition, readers in specimen.reach.coverage.editions.items() if edition}
    mail = next(iter(specimen.mails.values()), None)
    if not shared or mail is None:
        return 0, 0
    edition = max(shared, key=lambda one: (shared[one], len(one.stories)))
    return shared[edition], _bytes(mail, edition)


def _bytes(mail: CompiledIssue, edition: Edition) -> int:
    return len(wire(html_of(assemble(mail, edition), READER)))


def _heaviest(specimen: Specimen) -> list[Place]:
    mail = next(iter(specimen.mails.values()))
    weights = [len(wire("".join(mail.html[f"story.{place}"].literals))) for place in range(len(specimen.stories))]
    order = sorted(range(len(weights)), key=lambda place: -weights[place])[:_HEAVIEST]
    stories = [specimen.stories[place] for place in order]
    notes = [f"{weights[place] / 1000:,.1f} kB" for place in order]
    return [Place(title_of(story), note, specimen.line_of(story)) for story, note in zip(stories, notes, strict=True)]


def _clients(specimen: Specimen) -> Check:
    found = {one.slug: one for page in specimen.pages for one in unsupported(page)}
    places = [Place(f"{one.title} · {one.seen}", ", ".join(one.clients)) for one in found.values()]
    data = support()
    return judged("client-support", Verdict.WARNING, places, clients=len(data.clients), updated=data.updated)


def _dark(specimen: Specimen, faint: list[Place]) -> Check:
    if not all("prefers-color-scheme" in page for page in specimen.pages):
        return Check("dark-mode", Verdict.WARNING, "without", {"least": ENOUGH})
    return judged("dark-mode", Verdict.WARNING, faint, least=ENOUGH)


def _faint(one: Faint) -> Place:
    pair = f"{one.ink} / {one.ground}"
    return Place(one.text[:60], f"{pair} · {one.ratio:.1f} : 1" if one.ratio else pair)
