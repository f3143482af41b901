"""What can be said of one story by itself: its length, its links, its source."""

from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.findings import error, name_of, named, quoted, warning
from newsletter.content.hosts import expected_domains
from newsletter.content.identity import words
from newsletter.content.inline import bad_links, is_web_address, plain
from newsletter.content.issue import Image, Source, Story
from newsletter.content.repeats import Placed

LONGEST_TITLE_CHARACTERS = 300
"""A title beyond this is a paragraph, and it has to fit a subject line."""

LONGEST_STORY_CHARACTERS = 200_000
"""All text of one story: about a hundred printed pages."""

LONG_TITLE_CHARACTERS = 80
"""Above this a title wraps to a fourth line on a phone."""

LONG_TEXT_CHARACTERS = 600
"""Above this a summary, a background or a point is no longer read at a glance."""

_ADVICE = "add a line 来源出处：[name](https://…)"


def check_title(line: int, what: str, title: str) -> Iterator[Diagnostic]:
    """Find a title that is too long; `what` says whose it is."""
    length = len(title) if len(title) <= LONG_TITLE_CHARACTERS else len(plain(title))
    name = name_of(title)
    if length > LONGEST_TITLE_CHARACTERS:
        message = f"{what} {named(title)} has {length} characters, the most is {LONGEST_TITLE_CHARACTERS}; shorten it"
        yield error(line, "title-too-long", message, what=name, n=length, most=LONGEST_TITLE_CHARACTERS)
    elif length > LONG_TITLE_CHARACTERS:
        message = f"{what} {named(title)} has {length} characters; up to {LONG_TITLE_CHARACTERS} read well, shorten it"
        yield warning(line, "text-long", message, case="title", what=name, n=length, most=LONG_TITLE_CHARACTERS)


def check_story(line: int, story: Story, own_host: str) -> Iterator[Diagnostic]:
    """Find what is wrong with a story's title, lengths, links and pictures; `own_host` serves our own pictures."""
    if not story.title:
        yield warning(line, "title-missing", "a story has no title; write one above its text", case="story")
    yield from check_title(line, "the title", story.title)
    yield from _lengths(line, story)
    yield from _links(line, story)
    yield from _pictures(line, story, own_host)


def _texts(story: Story) -> Iterator[str]:
    yield from (story.title, story.summary, story.background, *story.points)
    for block in story.body:
        yield from words(block)


def _lengths(line: int, story: Story) -> Iterator[Diagnostic]:
    name = name_of(story.title)
    length = sum(len(text) for text in _texts(story))
    if length > LONGEST_STORY_CHARACTERS:
        message = f"{named(story.title)} has {length} characters of text, the most is {LONGEST_STORY_CHARACTERS}"
        message += "; shorten it or make several stories of it"
        yield error(line, "story-too-long", message, what=name, n=length, most=LONGEST_STORY_CHARACTERS)
    labelled = (("summary", story.summary), ("background", story.background), *(("point", p) for p in story.points))
    for label, text in labelled:
        length = len(text) if len(text) <= LONG_TEXT_CHARACTERS else len(plain(text))
        if length > LONG_TEXT_CHARACTERS:
            message = f"a {label} of {named(story.title)} has {length} characters"
            message += f"; up to {LONG_TEXT_CHARACTERS} read well, shorten it"
            yield warning(line, "text-long", message, case=label, what=name, n=length, most=LONG_TEXT_CHARACTERS)


def _links(line: int, story: Story) -> Iterator[Diagnostic]:
    addresses = [block.url for block in story.body if isinstance(block, Image)]
    if story.source and story.source.url:
        addresses.append(story.source.url)
    wrong = [url for url in addresses if not is_web_address(url)]
    for url in (*wrong, *(url for text in _texts(story) for url in bad_links(text))):
        message = f"the link {quoted(url)} of {named(story.title)} is not an http or https address"
        message += "; correct it or take it out"
        yield error(line, "link-scheme", message, case="of", what=url, of=name_of(story.title))


def _pictures(line: int, story: Story, own_host: str) -> Iterator[Diagnostic]:
    for block in story.body:
        if isinstance(block, Image) and is_web_address(block.url) and urlsplit(block.url).hostname != own_host:
            message = f"the picture {quoted(block.url)} of {named(story.title)} is not on the newsletter's own host"
            message += "; mails show its alt text with a link instead"
            yield warning(line, "image-foreign", message, what=block.url, of=name_of(story.title))
        if isinstance(block, Image) and not plain(block.alt).strip():
            message = f"the picture {quoted(block.url)} of {named(story.title)} has no text that stands for it"
            message += "; say between the brackets of ![…] what it shows"
            yield warning(line, "image-alt-missing", message, what=block.url, of=name_of(story.title))


def check_sources(placed: Collection[Placed], linked: bool) -> Iterator[Diagnostic]:
    """Find stories without a source, or whose source's name does not fit its link.

    When no story at all names one, that is said once. `linked` is false for a dialect whose sources have no address.
    """
    if len(placed) > 1 and not any(story.source for _, story in placed):
        message = f"none of the {len(placed)} stories names its source; {_ADVICE} to each"
        yield warning(0, "source-missing", message, case="all", n=len(placed))
        return
    for line, story in placed:
        if story.source is None:
            message, name = f"{named(story.title)} names no source; {_ADVICE}", name_of(story.title)
            yield warning(line, "source-missing", message, case="of", of=name)
        elif story.source.url:
            yield from _mismatch(line, story, story.source)
        elif linked:
            what, name = name_of(story.source.name), name_of(story.title)
            message = f"the source {quoted(what)} of {quoted(name)} has no link; write [name](https://…)"
            yield warning(line, "source-missing", message, case="link", what=what, of=name)


def _mismatch(line: int, story: Story, source: Source) -> Iterator[Diagnostic]:
    if domains := expected_domains(plain(source.name), source.url):
        what, name, host = name_of(source.name), name_of(story.title), urlsplit(source.url).hostname or ""
        link = f"links to {host} instead of {' or '.join(domains)}"
        message = f"the source {quoted(what)} of {quoted(name)} {link}; correct the name or the link"
        yield warning(line, "source-mismatch", message, what=what, of=name, host=host, known=", ".join(domains))
