"""Topics at the desk: seen by all of the staff, changed by those who manage, deleted only when nothing holds them."""

import pytest
from desk_samples import at_desk
from starlette.testclient import TestClient
from web_samples import ISSUE, SCRIPT, add_issue, add_reader

from newsletter.app import Newsletter
from newsletter.editorial.intake import read, take_in
from newsletter.staff import audit
from newsletter.staff.rights import Role
from subscribers.topics import Catalogue

NEW = {"slug": "chips", "zh": "芯片", "en": "Chips", "about_zh": "算力与芯片", "about_en": "Chips and compute"}


@pytest.fixture
def desk(newsletter: Newsletter) -> TestClient:
    """The browser of somebody who manages."""
    return at_desk(newsletter, Role.ADMIN)


def topics(newsletter: Newsletter) -> Catalogue:
    """The topics as they are."""
    with newsletter.reading() as session:
        return newsletter.topics(session).catalogue()


def done(newsletter: Newsletter) -> list[tuple[str, str, object]]:
    """The audit log, newest first."""
    with newsletter.reading() as session:
        return [(row.action, row.subject, row.details["what"]) for row in audit.entries(session)]


def test_a_heading_that_is_asked_for_stands_first_and_one_that_is_none_changes_nothing(
    newsletter: Newsletter, desk: TestClient
) -> None:
    text = ISSUE.format(title="x").replace("政策与监管", "航天").replace("模型与技术进展", "深海").encode()
    take_in(newsletter, read(newsletter, text), text, draft=True)
    assert desk.get("/desk/topics").text.index("<b>深海</b>") < desk.get("/desk/topics").text.index("<b>航天</b>")
    asked = desk.get("/desk/topics", params={"heading": "航天"}).text
    assert asked.index("<b>航天</b>") < asked.index("<b>深海</b>")
    assert asked.count("autofocus") == 1
    assert "autofocus" not in desk.get("/desk/topics", params={"heading": SCRIPT}).text


@pytest.mark.both_databases
def test_the_list_says_how_many_read_each_and_which_headings_mean_it(newsletter: Newsletter, desk: TestClient) -> None:
    for number in range(3):
        add_reader(newsletter, f"r{number}@example.org", "funding")
    text = desk.get("/desk/topics").text
    assert '<a href="/desk/readers?topic=funding">3</a>' in text
    assert "国家视点" in text


def test_everybody_of_the_staff_may_look_and_only_managers_change(newsletter: Newsletter) -> None:
    editor = at_desk(newsletter, Role.EDITOR, Role.SENDER)
    for path in ("/desk/topics", "/desk/topics/policy"):
        text = editor.get(path).text
        assert "政策与监管" in text
        assert 'action="/desk/topics' not in text
        assert "/desk/readers" not in text
    before = topics(newsletter).topics
    for path in ("/desk/topics", "/desk/topics/add", "/desk/topics/policy"):
        assert editor.post(path, data=NEW | {"deed": "up", "topic": "policy", "heading": "x"}).status_code == 403
    assert editor.get("/desk/topics/add").status_code == 403
    assert topics(newsletter).topics == before


def test_a_topic_is_added_at_the_end_and_written_down(newsletter: Newsletter, desk: TestClient) -> None:
    assert "已添加" in desk.post("/desk/topics/add", data=NEW).text
    added = topics(newsletter).topics[-1]
    assert (added.slug, added.zh, added.en, added.about_zh, added.about_en) == tuple(NEW.values())
    assert done(newsletter) == [("topic changed", "chips", "added")]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"slug": "Chips!"}, "2 到 40 个小写字母"),
        ({"slug": "policy"}, "已经有代号为 policy 的主题"),
        ({"zh": "模型"}, "已经指主题 models"),
        ({"en": ""}, "至少有一个文字或数字"),
        ({"about_en": "x" * 201}, "最多 200 个字符"),
        ({"zh": "a\0b"}, "小写字母"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    newsletter: Newsletter, desk: TestClient, wrong: dict[str, str], said: str
) -> None:
    answer = desk.post("/desk/topics/add", data=NEW | {"about_zh": "独一无二的介绍"} | wrong)
    assert answer.status_code == 422
    assert said in answer.text
    assert "独一无二的介绍" in answer.text
    assert topics(newsletter).get("chips") is None
    assert done(newsletter) == []


def test_a_topic_is_renamed_and_its_former_headings_still_mean_it(newsletter: Newsletter, desk: TestClient) -> None:
    desk.post(
        "/desk/topics/policy", data={"deed": "save", "zh": "法规", "en": "Rules", "about_zh": "", "about_en": "x"}
    )
    catalogue = topics(newsletter)
    assert (catalogue.by_slug["policy"].zh, catalogue.by_slug["policy"].about_en) == ("法规", "x")
    assert catalogue.resolve("政策与监管") == "policy"
    assert done(newsletter) == [("topic changed", "policy", "changed")]


def test_an_alias_of_another_topic_is_refused_and_said_where(newsletter: Newsletter, desk: TestClient) -> None:
    answer = desk.post("/desk/topics/models", data={"deed": "alias", "heading": "国家视点"})
    assert answer.status_code == 422
    assert "已经指主题 policy" in answer.text
    assert 'value="国家视点"' in answer.text
    assert topics(newsletter).resolve("国家视点") == "policy"


@pytest.mark.both_databases
def test_an_alias_comes_and_goes(newsletter: Newsletter, desk: TestClient) -> None:
    desk.post("/desk/topics/models", data={"deed": "alias", "heading": "大模型"})
    assert topics(newsletter).resolve("大模型") == "models"
    desk.post("/desk/topics/models", data={"deed": "drop", "heading": "大模型"})
    assert topics(newsletter).resolve("大模型") is None
    assert [what for _, _, what in done(newsletter)] == ["alias removed", "alias added"]


def test_the_order_is_changed_by_a_button(newsletter: Newsletter, desk: TestClient) -> None:
    desk.post("/desk/topics/models", data={"deed": "up"})
    assert [topic.slug for topic in topics(newsletter).topics][:2] == ["models", "policy"]


@pytest.mark.both_databases
def test_headings_that_mean_nothing_are_offered_and_taken(newsletter: Newsletter, desk: TestClient) -> None:
    text = ISSUE.format(title="山谷团队开源语音模型").replace("**政策与监管**", "**海外观察**").encode()
    take_in(newsletter, read(newsletter, text), text, draft=True)
    assert "海外观察" in desk.get("/desk/topics").text
    assert "+ 海外观察" in desk.get("/desk/topics/industry").text
    answer = desk.post("/desk/topics", data={"topic": "industry", "heading": "海外观察"})
    assert topics(newsletter).resolve("海外观察") == "industry"
    assert "还不属于任何主题的标题" not in answer.text


@pytest.mark.parametrize("held", ["reader", "draft"])
def test_a_topic_that_anything_holds_is_not_deleted(newsletter: Newsletter, desk: TestClient, held: str) -> None:
    if held == "reader":
        add_reader(newsletter, "an@example.org", "models")
    else:
        add_issue(newsletter)
    assert 'value="remove"' not in desk.get("/desk/topics/models").text
    answer = desk.post("/desk/topics/models", data={"deed": "remove"})
    assert (answer.status_code, "所以不能删除" in answer.text) == (422, True)
    assert topics(newsletter).get("models") is not None
    assert done(newsletter) == []


@pytest.mark.both_databases
def test_a_topic_that_nothing_holds_is_deleted(newsletter: Newsletter, desk: TestClient) -> None:
    assert "主题已删除" in desk.post("/desk/topics/funding", data={"deed": "remove"}).text
    assert topics(newsletter).get("funding") is None
    assert desk.get("/desk/topics/funding").status_code == 404
    assert desk.post("/desk/topics/funding", data={"deed": "up"}).status_code == 404
    assert done(newsletter) == [("topic changed", "funding", "removed")]


def test_hostile_names_are_only_text(desk: TestClient) -> None:
    desk.post("/desk/topics/add", data=NEW | {"zh": SCRIPT, "about_zh": SCRIPT})
    desk.post("/desk/topics/chips", data={"deed": "alias", "heading": f"别名{SCRIPT}"})
    for path in ("/desk/topics", "/desk/topics/chips", f"/desk/topics/add?heading={SCRIPT}"):
        text = desk.get(path).text
        assert (SCRIPT in text, "&lt;script&gt;" in text) == (False, True)


def test_without_topics_the_list_says_what_to_do(newsletter: Newsletter, desk: TestClient) -> None:
    for topic in topics(newsletter).topics:
        desk.post(f"/desk/topics/{topic.slug}", data={"deed": "remove"})
    assert "还没有主题" in desk.get("/desk/topics").text
