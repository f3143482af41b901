"""An issue survives the way to JSON and back."""

import json
from datetime import date, datetime

from newsletter.content.as_json import issue_from_json, issue_to_json
from newsletter.content.issue import (
    Code,
    Image,
    Issue,
    Listing,
    Mark,
    Paragraph,
    Points,
    Quote,
    Section,
    Source,
    Story,
    Table,
)


def test_every_kind_of_block_and_field_survives() -> None:
    body = (
        Paragraph("段落"),
        Points("小标题", ("一", "二")),
        Listing(("甲",), ordered=True),
        Quote(("引文",)),
        Code("x = 1", "python"),
        Table((("a", "b"), ("c", "d"))),
        Image("https://example.org/a.png", "图"),
    )
    told = Story(
        "题",
        "说明",
        "背景",
        ("点",),
        Source("源", "https://example.org"),
        ("policy",),
        ("标签",),
        datetime(2026, 3, 9, 8),
        body,
        "id1",
        (Mark.IMPORTANT, Mark.FOLLOW_UP),
    )
    issue = Issue("刊", date(2026, 3, 9), (Section("节", (told,), ("上", "节"), "policy"),), "report", "主题", "预览")
    assert issue_from_json(json.loads(json.dumps(issue_to_json(issue)))) == issue


def test_a_story_without_marks_is_stored_as_it_was_before_there_were_any() -> None:
    issue = Issue("刊", None, (Section("节", (Story("甲"), Story("乙", marks=(Mark.NEW,)))),))
    plain, marked = issue_to_json(issue)["sections"][0]["stories"]
    assert "marks" not in plain
    assert marked["marks"] == ["new"]
