"""Which story is which: an id for every story of an issue that stays the same when the issue is revised.

Whether a reader already had a story is decided by its id, so an id must neither change under an edit nor pass to
another story.
"""

import unicodedata
from base64 import b32encode
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from hashlib import blake2b
from urllib.parse import parse_qsl, urlencode, urlsplit

from newsletter.content.issue import Block, Code, Image, Issue, Listing, Paragraph, Points, Quote, Story, Table

ID_CHARACTERS = 10
"""Fifty bits: among the 2,000 stories of the largest issue, two ids meet by chance once in 500 million issues."""

SIMILAR = 0.6
"""Titles or texts at least this alike (difflib's ratio, 0 to 1) are one edited story."""

VERY_SIMILAR = 0.8
"""What is asked of titles when the two stories have different links, which speaks against one story."""

# Comparing is quadratic, so only the stories that nothing else matched are compared, and no more pairs than this.
_MOST_COMPARISONS = 2_000
_COMPARED_CHARACTERS = 200
_NO_MARKS = ", marks=())"
_TRACKING = ("utm_", "spm", "fbclid", "gclid")
_Placed = tuple[str, Story]


def title_key(title: str) -> str:
    """Reduce a title to its letters and digits, width and case folded; other characters decide when it has none."""
    folded = unicodedata.normalize("NFKC", title).casefold()
    return "".join(character for character in folded if character.isalnum()) or folded.strip()


def url_key(url: str) -> str:
    """Reduce an address to what makes it the same page: no scheme, `www.`, fragment, final slash or tracking."""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port else ""
        kept = [(name, value) for name, value in parse_qsl(parts.query, True) if not name.lower().startswith(_TRACKING)]
        query = f"?{urlencode(kept)}" if kept else ""
    except ValueError:  # a port or an IPv6 host that is none, a lone surrogate
        return url.strip()
    return f"{(parts.hostname or '').removeprefix('www.')}{port}{parts.path.rstrip('/')}{query}"


def identify(issue: Issue, earlier: Issue | None = None) -> Issue:
    """Give every story its id, ten characters of a to z and 2 to 7, unique in the issue.

    `earlier` is the previous revision of the same issue, identified; its stories keep their ids through edits. A new
    story's id comes from its link and title when no other story has the link, else from its title, else from all of
    its text.
    """
    stories = issue.stories
    ids = _kept(_placed(issue), _placed(earlier)) if earlier else {}
    taken = {story.id for story in earlier.stories if story.id} if earlier else set()
    bases = _bases(stories)
    for place in range(len(stories)):
        if place not in ids:
            ids[place] = _fresh(bases[place], taken)
            taken.add(ids[place])
    return _with_ids(issue, ids)


def _with_ids(issue: Issue, ids: dict[int, str]) -> Issue:
    place = 0
    sections = []
    for section in issue.sections:
        named = tuple(replace(story, id=ids[at]) for at, story in enumerate(section.stories, place))
        place += len(named)
        sections.append(replace(section, stories=named))
    return replace(issue, sections=tuple(sections))


def _digest(text: str) -> str:
    return b32encode(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()).decode().lower()[:ID_CHARACTERS]


def _fresh(basis: str, taken: set[str]) -> str:
    number, made = 1, _digest(basis)
    while made in taken:
        number += 1
        made = _digest(f"{basis}\n{number}")
    return made


def _url(story: Story) -> str:
    return url_key(story.source.url) if story.source and story.source.url else ""


def _bases(stories: Sequence[Story]) -> list[str]:
    """Say what each story's id is made from; equal for two stories only when they are equal throughout."""
    urls = Counter(_url(story) for story in stories)
    titles = Counter(title_key(story.title) for story in stories)
    bases = []
    for story in stories:
        url, title = _url(story), title_key(story.title)
        if url and urls[url] == 1:
            # with the title, because many a source is named by its front page, today and tomorrow
            bases.append(f"url\n{url}\n{title}")
        elif title and titles[title] == 1:
            bases.append(f"title\n{title}")
        else:
            # as it is written without the field of marks, so that ids stay what they were before there was one
            bases.append(f"story\n{repr(_told(story)).removesuffix(_NO_MARKS)})")
    return bases


def _told(story: Story) -> Story:
    """A story by what it tells alone; an editor's mark makes no other story of it."""
    return replace(story, id="", marks=())


def _placed(issue: Issue) -> list[_Placed]:
    """Every story with the section it stands in."""
    return [
        (section.topic or title_key(section.title), story) for section in issue.sections for story in section.stories
    ]


def _kept(now: Sequence[_Placed], then: Sequence[_Placed]) -> dict[int, str]:
    """Find the ids that stories of the earlier revision hand on, by place; the surest likeness first."""
    ids: dict[int, str] = {}
    left, old = dict(enumerate(now)), {at: placed for at, placed in enumerate(then) if placed[1].id}
    rules: tuple[Callable[[_Placed], Hashable], ...] = (
        lambda placed: (placed[0], _told(placed[1])),
        lambda placed: replace(_told(placed[1]), topics=()),
        lambda placed: title_key(placed[1].title) and (_url(placed[1]), title_key(placed[1].title)),
    )
    for rule in rules:
        _match(ids, left, old, rule, only_unique=False)
    _match(ids, left, old, lambda placed: _url(placed[1]), only_unique=True)
    _match(ids, left, old, lambda placed: title_key(placed[1].title), only_unique=False)
    _match_similar(ids, left, old)
    return ids


def _match(
    ids: dict[int, str],
    left: dict[int, _Placed],
    old: dict[int, _Placed],
    key: Callable[[_Placed], Hashable],
    only_unique: bool,
) -> None:
    """Pair stories with an equal key, in order, and take them out of both; an empty key says nothing."""
    groups: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, stories in enumerate((left, old)):
        for at, placed in stories.items():
            if value := key(placed):
                groups[value][side].append(at)
    for new_places, old_places in groups.values():
        if only_unique and (len(new_places) > 1 or len(old_places) > 1):
            continue
        for new, former in zip(new_places, old_places, strict=False):
            ids[new] = old.pop(former)[1].id
            del left[new]


def _match_similar(ids: dict[int, str], left: dict[int, _Placed], old: dict[int, _Placed]) -> None:
    """Pair what is left by likeness within a section, the most alike first."""
    by_section: dict[str, list[int]] = defaultdict(list)
    for at, (section, _) in old.items():
        by_section[section].append(at)
    pairs = ((new, former) for new, (section, _) in left.items() for former in by_section[section])
    scores = []
    for count, (new, former) in enumerate(pairs):
        if count >= _MOST_COMPARISONS:
            break
        if score := _likeness(left[new][1], old[former][1]):
            scores.append((-score, title_key(left[new][1].title), old[former][1].id, new, former))
    for _, _, _, new, former in sorted(scores):
        if new in left and former in old:
            ids[new] = old.pop(former)[1].id
            del left[new]


def _likeness(new: Story, old: Story) -> float:
    """How alike two stories are, 0 when not enough to be one."""
    moved = bool(_url(new) and _url(old) and _url(new) != _url(old))
    titles = _ratio(title_key(new.title), title_key(old.title), VERY_SIMILAR if moved else SIMILAR)
    return titles or _ratio(_text(new), _text(old), VERY_SIMILAR if moved else SIMILAR)


def _ratio(new: str, old: str, least: float) -> float:
    if not new or not old:
        return 0.0
    matcher = SequenceMatcher(None, new[:_COMPARED_CHARACTERS], old[:_COMPARED_CHARACTERS], autojunk=False)
    ratio = matcher.ratio() if matcher.real_quick_ratio() >= least and matcher.quick_ratio() >= least else 0.0
    return ratio if ratio >= least else 0.0


def _text(story: Story) -> str:
    return "".join(
        (story.summary, story.background, *story.points, *(text for block in story.body for text in words(block)))
    )


def words(block: Block) -> Iterable[str]:
    """Every string of a block that a reader sees."""
    match block:
        case Paragraph(text) | Code(text):
            return (text,)
        case Points(heading, points):
            return (heading, *points)
        case Listing(items):
            return items
        case Quote(paragraphs):
            return paragraphs
        case Table(rows):
            return tuple(cell for row in rows for cell in row)
        case Image(_, alt):
            return (alt,)
