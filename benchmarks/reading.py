"""Reading time grows in proportion to length, also for texts that were written to be slow to read."""

import statistics

from benchmarks.measure import Result, cpu_seconds
from benchmarks.sample import markdown
from newsletter.content import inline, rows
from newsletter.content.document import read_issue
from newsletter.content.inline import canonical
from subscribers.topics import Catalogue

SLACK = 1.5
"""Time per story may grow by so much from 10 stories to 1,000: caches and the collector of garbage are not free."""


def reading() -> Result:
    """Time per story in an issue of 1,000 over that in one of 10."""
    resolve = Catalogue().resolve
    texts = {stories: markdown(stories) for stories in (10, 100, 1000)}

    def per_story(stories: int) -> float:
        def read() -> None:
            inline._settle_once.cache_clear()  # texts that were read before cost little
            inline._bad_once.cache_clear()
            rows._row_once.cache_clear()
            read_issue(texts[stories], resolve=resolve)

        repeats = 1000 // stories
        return cpu_seconds(lambda: [read() for _ in range(repeats)]) / 1000

    per_story(10)
    runs = [{stories: per_story(stories) for stories in texts} for _ in range(5)]
    growth = statistics.median(run[1000] / run[10] for run in runs)
    middle = {stories: statistics.median(run[stories] for run in runs) * 1000 for stories in texts}
    detail = ", ".join(f"{stories:,} stories: {each:.2f} ms each" for stories, each in middle.items())
    return Result("reading, time per story, 1,000 against 10", growth, f"at most {SLACK}", growth <= SLACK, detail)


HOSTILE = ("[", "![", "*a ", "`", "``a`", "[a](", "<a", "\\", "](", "[a][", "~~a")
"""Marks that begin something and never end it, the classical way to make a Markdown parser slow."""


def hostile() -> Result:
    """Time per character of 32,000 hostile characters over that of 4,000, for the slowest of them to grow."""

    def per_character(piece: str, characters: int) -> float:
        text = piece * (characters // len(piece))
        return min(cpu_seconds(lambda: canonical(text)) for _ in range(3)) / characters

    growth = {piece: per_character(piece, 32_000) / per_character(piece, 4_000) for piece in HOSTILE}
    worst = max(growth, key=growth.__getitem__)
    detail = f"the slowest to grow is {worst!r} without end; growth with the square would be 8"
    return Result("reading hostile marks, 32,000 against 4,000", growth[worst], "at most 4", growth[worst] <= 4, detail)
