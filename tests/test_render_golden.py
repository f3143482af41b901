"""Small mails as they were when somebody last looked at them, one for each kind of thing that a mail can hold.

Where a change of looks is meant, `GOLDEN=write .venv/bin/pytest tests/test_render_golden.py` writes the files of
`tests/golden` anew; look at what git shows of them before it is committed.
"""

import os
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest
from pathlib import Path

import pytest
from html_trees import difference, in_lines, tree
from render_samples import ISSUE, OCEAN, PUBLICATION, QUIET, READER, RULES, TOPICS

from newsletter.compose.edition import FOLLOWED, Edition, Group
from newsletter.content.issue import (
    DIGEST,
    Block,
    Code,
    Image,
    Issue,
    Listing,
    Mark,
    Origin,
    Paragraph,
    Points,
    Quote,
    Section,
    Table,
)
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.message import html_of, text_of
from newsletter.render.theme import load_theme

FOLDER = Path(__file__).with_name("golden")
WRITE = os.environ.get("GOLDEN") == "write"


@dataclass(frozen=True)
class Case:
    """One mail: what is in it, and how it is shown."""

    issue: Issue
    edition: Edition
    theme: str = "daily"
    language: str = "zh"


def of_blocks(*blocks: Block) -> Case:
    """A story whose body is these blocks."""
    story = replace(QUIET, body=blocks)
    issue = replace(ISSUE, sections=(Section("产品与应用发布", (story,), topic="products"),))
    return Case(issue, Edition((Group("products", ("quiet",)),)))


MARKED = replace(
    ISSUE,
    sections=(
        Section("模型与技术进展", (replace(OCEAN, marks=(Mark.IMPORTANT, Mark.FOLLOW_UP)),), topic="models"),
        Section("政策与监管", (replace(RULES, marks=(Mark.NEW,)),), topic="policy"),
        Section("产品与应用发布", (replace(QUIET, marks=(Mark.FOLLOW_UP,), body=()),), topic="products"),
    ),
)
THREE_TOPICS = Edition((Group("models", ("ocean",)), Group("policy", ("rules",)), Group("products", ("quiet",))))
ONE_STORY = Edition((Group("models", ("ocean",)),))
TWO_TOPICS = Edition((Group("policy", ("rules",)), Group("models", ("ocean",))))
DIGEST_OF_TWO_DAYS = replace(
    ISSUE,
    date=date(2026, 3, 13),
    format=DIGEST,
    origins=(("ocean", Origin("2026-03-09", date(2026, 3, 9))), ("rules", Origin("2026-03-12", date(2026, 3, 12)))),
)
CASES = {
    "story": Case(ISSUE, ONE_STORY),
    "two-topics": Case(ISSUE, TWO_TOPICS),
    "english": Case(ISSUE, TWO_TOPICS, language="en"),
    "digest": Case(ISSUE, TWO_TOPICS, theme="digest"),
    "letter": Case(ISSUE, TWO_TOPICS, theme="letter"),
    "weekly": Case(DIGEST_OF_TWO_DAYS, TWO_TOPICS, theme="weekly"),
    "marked": Case(MARKED, THREE_TOPICS),
    "marked-digest": Case(MARKED, THREE_TOPICS, theme="digest", language="en"),
    "marked-letter": Case(MARKED, THREE_TOPICS, theme="letter"),
    "followed": Case(ISSUE, Edition((Group(FOLLOWED, ("quiet",)), Group("policy", ("rules",))))),
    "paragraph": of_blocks(Paragraph("A **bold** word, `code` and [a link](https://tide.example.com/a?b=1&c=2).")),
    "points": of_blocks(Points("What is in it", ("Four languages", "Two hundred tasks"))),
    "list": of_blocks(Listing(("Install it", "Run it"), ordered=True), Listing(("Read", "Write"), ordered=False)),
    "quote": of_blocks(Quote(("We wanted to hear the silence.", "Now we do."))),
    "code": of_blocks(Code("tide bench --all\n  --quiet\n.hidden")),
    "table": of_blocks(Table((("Model", "Score"), ("Echo-2", "0.41")))),
    "picture": of_blocks(Image(f"{PUBLICATION.base_url}/image/{'0a' * 16}-1120x630.png", "A chart of scores")),
    "image": of_blocks(Image("https://pictures.example.net/chart.png", "A chart of scores")),
}


def mail(case: Case) -> tuple[str, str]:
    """The HTML and the text of a case."""
    compiled = compile_issue(
        case.issue, theme=load_theme(case.theme), language=case.language, topics=TOPICS, publication=PUBLICATION
    )
    assembled = assemble(compiled, case.edition)
    return html_of(assembled, READER), text_of(assembled, READER)


def kept(file: str, made: str) -> str:
    """What a golden file holds, written anew where that was asked for."""
    path = FOLDER / file
    if WRITE:
        path.write_text(made, "utf-8")
    if not path.is_file():
        pytest.fail(f"there is no {path.name}: GOLDEN=write {__file__} writes it")
    return path.read_text("utf-8")


@pytest.mark.parametrize("name", CASES)
def test_a_mail_is_as_it_was_when_somebody_last_looked_at_it(name: str) -> None:
    html, text = mail(CASES[name])
    lines = zip_longest(kept(f"{name}.txt", text).split("\n"), text.split("\n"))
    changed = [f"line {number}: {new!r}, not {old!r}" for number, (old, new) in enumerate(lines, 1) if old != new]
    assert changed[:1] == []
    assert difference(tree(kept(f"{name}.html", in_lines(html))), tree(html)) == ""


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(CASES)


def test_blanks_between_blocks_and_the_order_of_attributes_make_no_difference() -> None:
    one = '<div id="a" class="b" style="color: red;margin:0"><p>x <b>y</b> <i>z</i></p>   </div>'
    other = '<div class="b"\n style="color: red; margin:0;" id="a">\n<p>x\n<b>y</b> <i>z</i> </p></div>'
    assert difference(tree(one), tree(other)) == ""


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("<p>x <b>y</b><i>z</i></p>", "/html[0]/body[0]/p[2]: <i>, not ' '"),
        ("<p>x <b>Y</b> <i>z</i></p>", "/html[0]/body[0]/p[1]/b[0]: 'Y', not 'y'"),
        ("<p>x <b class='q'>y</b> <i>z</i></p>", "/html[0]/body[0]/p[1]/b@: [('class', 'q')], not nothing"),
        ("<p style='margin:0'>x <b>y</b> <i>z</i></p>", "/html[0]/body[0]/p@style : ['margin:0'], not nothing"),
        ("<p>x <b>y</b> <i>z</i>!</p>", "/html[0]/body[0]/p[4]: has also '!'"),
        ("<p>x <b>y</b> </p>", "/html[0]/body[0]/p[2]: lacks ' '"),
        ("<div>x</div>", "/html[0]/body[0]: <div>, not <p>"),
    ],
)
def test_the_first_difference_is_named_with_its_place(other: str, said: str) -> None:
    assert difference(tree("<p>x <b>y</b> <i>z</i></p>"), tree(other)) == said


def test_a_page_without_its_doctype_is_another_page() -> None:
    page = "<html><p>x</p></html>"
    said = difference(tree(f"<!DOCTYPE html>{page}"), tree(page))
    assert said == "/html@: nothing, not [('!DOCTYPE', '<!DOCTYPE html>')]"
