"""The last few compilations, so that looking at an issue again, or as somebody else, compiles nothing."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

from newsletter.content.issue import Issue
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.publication import Publication
from newsletter.render.theme import Theme
from subscribers.topics import Catalogue

_KEPT = 8
"""Both languages of the issues that a few editors write at the same time."""


class Compilations:
    """Compiles as `compile_issue` does, and remembers what came of it by everything that it depends on."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._found = OrderedDict[Hashable, CompiledIssue]()
        self._lock = Lock()

    def compile(
        self,
        issue: Issue,
        *,
        theme: Theme,
        language: str,
        topics: Catalogue,
        publication: Publication,
        slug: str = "",
        with_text: bool = True,
    ) -> CompiledIssue:
        """The compiled issue; arguments and errors are those of `compile_issue`. One with its text does for both."""
        whole = issue, theme.name, theme.digest, language, topics.topics, publication, slug
        with self._lock:
            found = self._found.get((whole, True)) or self._found.get((whole, with_text))
        if found is None:
            found = compile_issue(
                issue,
                theme=theme,
                language=language,
                topics=topics,
                publication=publication,
                slug=slug,
                with_text=with_text,
            )
        with self._lock:
            key = whole, bool(found.text)
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > self._kept:
                self._found.popitem(last=False)
        return found
