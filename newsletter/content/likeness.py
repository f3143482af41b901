"""Whether two stories tell the same: by their titles, their links, and how much of their texts is alike.

Of a text only its smallest hashes are kept: how many of them two texts share says how alike they are (Broder, "On the
resemblance and containment of documents", 1997), and a few of them are enough to find a text among thousands.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from heapq import nsmallest
from itertools import islice
from struct import pack, unpack

from newsletter.content.identity import title_key, url_key, words
from newsletter.content.inline import plain
from newsletter.content.issue import Story

WINDOW = 3
"""Tokens in a row that are hashed together: one changed token changes three hashes. With four, a text with every tenth
token changed is alike by less than half; with two, texts that only share their subject come near to being alike."""

KEPT = 128
"""Hashes of a text: its likeness to another is within 0.09 of the true one in 19 of 20 pairs."""

SOUGHT = 8
"""Of these the smallest, by which a text is found: of pairs that are alike by half, one in 500 shares none of them."""

ALIKE = 0.4
"""Texts from this on are one story, in other words here and there: with every tenth token changed 0.54 is left, with
every seventh 0.4. Two stories on one subject have less than 0.1, and so have two people's own words for one event."""

NOT_OTHER = 0.1
"""Below this, two texts under one title or link are two stories: of a heading or a page that comes again each week."""

LEAST = 16
"""Hashes that a text needs to speak for itself: a shorter one (some 18 characters) is alike by chance."""

_MOST_TOKENS = 4_000
"""Of a text, so many are looked at: longer ones are alike in their beginnings, or not at all."""

_KEPT_STORIES = 1_024
_KEY_CHARACTERS = 120
_LARGE_CHARACTERS = 20_000
_HASH_BYTES = 8
# Han, kana and Hangul stand for themselves; of other scripts and of digits, a run.
_SIGN = r"\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_SIGN}]|[^\W_{_SIGN}]+")
_FRONT_PAGE = re.compile(r"(?:index|default|home)(?:\.[a-z]{2,5})?|[a-z]{2}(?:[-_][a-z]{2,4})?")
# Below the host: a number, as of a date or of an article, or a title in words.
_ARTICLE = re.compile(r"[^/?]*[/?].*?(?:\d|(?:[-_][^\W_]+){3})")


class Case(StrEnum):
    """What two stories have in common."""

    TEXT = "text"
    TITLE = "title"
    LINK = "link"
    PAGE = "page"
    """The article they link to, and nothing else: perhaps one story in two people's words, perhaps two stories."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a story is known by: keys of its title and of the page it links to, and the smallest hashes of its text.

    The keys are empty where there is nothing to know it by, as is the sketch of a story without text. Hashes are
    signed, of 64 bits, in ascending order.
    """

    title_key: str = ""
    url_key: str = ""
    sketch: tuple[int, ...] = ()

    @property
    def sought(self) -> tuple[int, ...]:
        """The hashes by which it is looked for."""
        return self.sketch[:SOUGHT]


@dataclass(frozen=True, slots=True)
class Retelling:
    """What a story has in common with an earlier one, and how much of their texts is alike (0 to 1)."""

    case: Case
    likeness: float

    @property
    def is_sure(self) -> bool:
        """Whether whoever had the one had the other."""
        return self.case is not Case.PAGE


def traits_of(story: Story) -> Traits:
    """What a story is known by; remembered, because an editor changes one story and all of them are looked at."""
    body = tuple(text for block in story.body for text in words(block))
    told = (story.title, story.source.url if story.source else "", story.summary, story.background, *story.points)
    return (_traits if sum(map(len, (*told, *body))) > _LARGE_CHARACTERS else _traits_once)(*told, *body)


def page_key(url: str) -> str:
    """The key of a link (`url_key`) that leads to a page of its own; empty for none and for a site's front page."""
    key = url_key(url)
    path = key.partition("/")[2]
    return "" if "?" not in key and (not path or _FRONT_PAGE.fullmatch(path.lower())) else key


def sketch(text: str) -> tuple[int, ...]:
    """The smallest hashes of a plain text, in ascending order: each stands for a few tokens in a row."""
    return tuple(nsmallest(KEPT, set(_hashes(text))))


def likeness(one: tuple[int, ...], other: tuple[int, ...], *, at_least: float = 0.0) -> float:
    """How much of two texts is alike, by their sketches: the shared runs of tokens among all there are, 0 to 1.

    Exact for texts of whose hashes all were kept, else an estimate; 0 where it cannot be `at_least` so much.
    """
    both = set(one).intersection(other)
    if not both or len(both) < at_least * max(len(one), len(other)):
        return 0.0
    smallest = list(dict.fromkeys(sorted(one + other)))[:KEPT]  # two sorted runs are merged, which is quick
    return len(both.intersection(smallest)) / len(smallest)


def retells(new: Traits, earlier: Traits) -> Retelling | None:
    """Whether a story tells an earlier one again, or may do so."""
    same_title = bool(new.title_key) and new.title_key == earlier.title_key
    same_page = bool(new.url_key) and new.url_key == earlier.url_key
    alike = likeness(new.sketch, earlier.sketch, at_least=0.0 if same_title or same_page else ALIKE)
    is_other = bool(new.sketch and earlier.sketch) and alike < NOT_OTHER
    proves_nothing = min(len(new.sketch), len(earlier.sketch)) < LEAST
    if alike >= ALIKE and not proves_nothing:
        return Retelling(Case.TEXT, alike)
    if same_title and not is_other and not (proves_nothing and _are_articles_apart(new, earlier)):
        return Retelling(Case.TITLE, alike)
    if same_page and not is_other:
        return Retelling(Case.LINK, alike)
    return Retelling(Case.PAGE, alike) if same_page and _ARTICLE.match(new.url_key) else None


def _are_articles_apart(new: Traits, earlier: Traits) -> bool:
    """Whether they lead to two articles: the heading of a column comes again with each."""
    return new.url_key != earlier.url_key and bool(_ARTICLE.match(new.url_key) and _ARTICLE.match(earlier.url_key))


def to_bytes(hashes: tuple[int, ...]) -> bytes:
    """A sketch as it is kept."""
    return pack(f">{len(hashes)}q", *hashes)


def from_bytes(data: bytes) -> tuple[int, ...]:
    """The sketch that `to_bytes` wrote."""
    return unpack(f">{len(data) // _HASH_BYTES}q", data)


def _traits(title: str, url: str, *told: str) -> Traits:
    # pieces are apart, so that where one ends and the next begins changes nothing
    text = "\n".join(plain(text) for text in told if text)
    return Traits(_short(title_key(plain(title))), _short(page_key(url)), sketch(text))


_traits_once = lru_cache(maxsize=_KEPT_STORIES)(_traits)


def _short(key: str) -> str:
    """A key of a length that every database has an index for; another key for another long one."""
    if len(key) <= _KEY_CHARACTERS:
        return key
    return key[:_KEY_CHARACTERS] + blake2b(key.encode("utf-8", "replace"), digest_size=_HASH_BYTES).hexdigest()


def _hashes(text: str) -> Iterator[int]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    tokens = [found[0] for found in islice(_TOKEN.finditer(folded), _MOST_TOKENS)]
    for start in range(max(len(tokens) - WINDOW + 1, bool(tokens))):
        run = "\n".join(tokens[start : start + WINDOW])
        digest = blake2b(run.encode("utf-8", "replace"), digest_size=_HASH_BYTES).digest()
        yield int.from_bytes(digest, "big", signed=True)
