"""The sentences that are made for one edition or one reader: subject, preheader, counts, and why they get the mail."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.render.compiled import StoryEntry
from newsletter.render.labels import Labels
from newsletter.render.spans import language_of
from newsletter.render.widths import columns, cut_to_characters, cut_to_columns, is_wide

SUBJECT_COLUMNS = 60
"""A subject stays narrower than this; a Chinese character takes two columns. More is cut off in most lists of mails."""

PREHEADER_CHARACTERS = 90
"""The widest preview line that a common mail program shows."""


@dataclass(frozen=True, slots=True)
class EditionLines:
    """The sentences of one edition; none of them is escaped. `lang` is the language of the preheader."""

    subject: str
    preheader: str
    lang: str
    count: str


def edition_lines(
    labels: Labels,
    subject: str,
    preheader: str,
    stories: Sequence[StoryEntry],
    topics: int,
    followed: bool,
    prefix: str = "",
) -> EditionLines:
    """What depends on the selection: `stories` in their order, under `topics` topics, some as `followed`.

    `subject` and `preheader` are what the front matter fixed, else empty; `prefix` begins a subject that is made here.
    """
    titles = [story.name for story in stories]
    line = subject_line(labels, subject, titles, prefix)
    preview = preheader_line(labels, preheader, line, titles, stories[0].teaser)
    return EditionLines(
        subject=line,
        preheader=preview,
        lang=labels.lang if preview == labels.gettext("In this issue") else language_of(preview),
        count=count_line(labels, topics, followed, len(stories)),
    )


def subject_prefix(labels: Labels, is_digest: bool) -> str:
    """What the subject of a digest begins with; nothing for any other issue."""
    # NOTE: begins the subject of a weekly digest; a title follows
    return labels.gettext("The week: ") if is_digest else ""


def subject_line(labels: Labels, fixed: str, titles: Sequence[str], prefix: str = "") -> str:
    """The subject of an edition: what the front matter fixed, else the first title and how many stories there are."""
    if fixed:
        return fixed
    titles = [title or labels.gettext("In this issue") for title in titles]
    room = SUBJECT_COLUMNS - 1 - columns(prefix)
    if len(titles) == 1:
        return prefix + cut_to_columns(titles[0], room)

    def line(title: str) -> str:
        # NOTE: {n} counts the other stories; {total} may stand instead and counts all
        filled = labels.ngettext(
            "{title} (and {n} more)", "{title} (and {n} more)", len(titles) - 1, title=title, total=len(titles)
        )
        return _without_blank_behind(title, filled)

    return prefix + line(cut_to_columns(titles[0], room - columns(line(""))))


def _without_blank_behind(title: str, line: str) -> str:
    """A line without the blank that parts a title from what follows, where both are Chinese and need none."""
    before, _, behind = line.partition(f"{title} ")
    last = title.rstrip("…”’")[-1:]  # these are as wide as the type that they are set in
    return before + title + behind if last and behind and is_wide(last) and is_wide(behind[0]) else line


def preheader_line(labels: Labels, fixed: str, subject: str, titles: Sequence[str], teaser: str) -> str:
    """What mail programs show behind the subject: never empty, never the subject again.

    `fixed` comes from the front matter, `teaser` tells of the first story, for an edition of one.
    """
    contents = labels.gettext("In this issue")
    others = labels.gettext("; ").join(titles[1:])
    chosen = next((choice for choice in (fixed, others, teaser) if choice and choice not in subject), contents)
    return cut_to_characters(chosen, PREHEADER_CHARACTERS)


def count_line(labels: Labels, topics: int, followed: bool, stories: int) -> str:
    """How many stories of how many of the reader's topics, and whether keywords brought some of them."""
    counted = labels.ngettext("{n} story", "{n} stories", stories)
    if not topics:
        return labels.gettext("{stories} matching your keywords", stories=counted)
    # NOTE: where the stories come from; a part of other messages
    origin = labels.ngettext("one of your topics", "{n} of your topics", topics)
    if followed:
        return labels.gettext("{stories} from {topics} and the keywords you follow", stories=counted, topics=origin)
    return labels.gettext("{stories} from {topics}", stories=counted, topics=origin)


def reason_line(labels: Labels, address: str, topics: Sequence[str]) -> str:
    """Why this mail came: the address, masked, and the names of the reader's topics."""
    if not topics:
        return labels.gettext("You are receiving this because {address} is subscribed.", address=masked(address))
    return labels.gettext(
        "You are receiving this because {address} is subscribed to {topics}.",
        address=masked(address),
        topics=listed(labels, topics),
    )


def listed(labels: Labels, names: Sequence[str]) -> str:
    """Names in a sentence: A, B and C; with such signs inside the names themselves, A & B; C & D."""
    # NOTE: stands before the last name of a list in a sentence
    comma, final = labels.gettext(", "), labels.gettext(" and ")
    if any(sign in name for name in names for sign in (comma, final, "&")):
        return labels.gettext("; ").join(names)
    *front, last = names
    return final.join([comma.join(front), last] if front else [last])


def masked(address: str) -> str:
    """An address that its owner recognises and nobody else can use: `c***@example.com`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***{at}{domain}"
