"""Writing at the desk: everything is saved, nothing is lost, and what was approved or sent stays as it was."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from command import Command
from desk_samples import add_staff
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.app import Newsletter
from newsletter.content.document import MAX_BYTES
from newsletter.editorial import writing
from newsletter.editorial.approval import approve, approved
from newsletter.editorial.differences import compare
from newsletter.editorial.dispatch import begin
from newsletter.editorial.intake import read, take_in
from newsletter.staff import audit
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.issues import IssueRefused
from subscribers.preferences import Preferences

pytestmark = pytest.mark.both_databases

DAY = date(2026, 3, 9)
SLUG = "2026-03-09"
TEXT = """# AI 行业动态 (2026-03-09)

**模型与技术进展**

- **港湾研究所公开声呐识别模型**
  说明：模型能区分十二类船只。
  来源出处：[港湾研究所](https://harbour.example.org/sonar)

- **松木团队发布小型翻译模型**
  说明：参数量为两亿。
  来源出处：[松木团队](https://pine.example.org/translate)
"""


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 8, 22, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def minutes(self, n: float) -> None:
        self.now += timedelta(minutes=n)


@pytest.fixture
def hands(newsletter: Newsletter) -> Hands:
    hands = Hands()
    newsletter.clock = hands
    return hands


@pytest.fixture
def chen(newsletter: Newsletter, hands: Hands) -> Actor:
    return add_staff(newsletter)


@pytest.fixture
def li(newsletter: Newsletter, hands: Hands) -> Actor:
    return add_staff(newsletter, "li@example.org", name="李编辑")


def actions(newsletter: Newsletter) -> list[str]:
    with newsletter.reading() as session:
        return [entry.action for entry in reversed(audit.entries(session))]


def numbers(newsletter: Newsletter) -> list[int]:
    return [revision.number for revision in writing.revisions(newsletter, SLUG)]


def test_an_issue_from_nothing_has_a_heading_with_name_and_date(newsletter: Newsletter, chen: Actor) -> None:
    saved = writing.create(newsletter, chen, DAY)
    assert writing.text_of(newsletter, saved.slug) == (saved, "# AI 行业动态 (2026-03-09)\n")
    assert (saved.slug, saved.number, saved.issue.date, saved.issue.title) == (SLUG, 1, DAY, "AI 行业动态")


def test_the_date_in_a_text_goes_before_the_one_given(newsletter: Newsletter, chen: Actor) -> None:
    assert writing.create(newsletter, chen, date(2026, 5, 1), TEXT).slug == SLUG


def test_a_second_issue_of_a_date_gets_a_number(newsletter: Newsletter, chen: Actor) -> None:
    assert [writing.create(newsletter, chen, DAY, TEXT).slug for _ in range(2)] == [SLUG, "2026-03-09-2"]


def test_every_text_is_saved_as_it_is(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY)
    texts = [
        "",
        "   \n",
        "no date at all",
        "# 2026-02-31",
        "---\nbroken: [\n---\n",
        "<script>\x01\x02",
        "- **\n" * 9,
        "🙂",
    ]
    for text in texts:
        writing.save(newsletter, chen, SLUG, text, 1)
        assert writing.text_of(newsletter, SLUG)[1] == text


def test_a_text_without_date_keeps_the_issues_date_and_the_error(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    saved = writing.save(newsletter, chen, SLUG, TEXT.replace(" (2026-03-09)", ""), 1)
    assert saved.issue.date == DAY
    assert "date-missing" in [found.code for found in saved.diagnostics]
    with pytest.raises(IssueRefused, match="error"):
        approve(newsletter, SLUG)


def test_an_unreadable_text_keeps_title_and_date(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    saved = writing.save(newsletter, chen, SLUG, "", 1)
    assert (saved.issue.title, saved.issue.date, saved.issue.stories) == ("AI 行业动态", DAY, ())
    assert [found.code for found in saved.diagnostics] == ["empty"]


def test_line_ends_of_forms_become_line_feeds(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, "a\r\nb\rc")
    assert writing.text_of(newsletter, SLUG)[1] == "a\nb\nc"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
@example(text="\ufffd\ud7ff")
@example(text="\x7f\x80")
def test_whatever_is_written_comes_back_letter_by_letter(newsletter: Newsletter, chen: Actor, text: str) -> None:
    slug = writing.create(newsletter, chen, DAY).slug
    writing.save(newsletter, chen, slug, text, 1)
    assert writing.text_of(newsletter, slug)[1] == text.lstrip("\ufeff")


def test_a_file_in_an_old_encoding_is_still_read(newsletter: Newsletter, chen: Actor) -> None:
    for data in (TEXT.encode("gb18030"), TEXT.encode("utf-16"), b"\xef\xbb\xbf" + TEXT.encode()):
        take_in(newsletter, read(newsletter, data), data, draft=True)
        assert writing.text_of(newsletter, SLUG)[1] == TEXT


def test_what_no_database_takes_is_replaced_and_the_rest_kept(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, "# 标题\0\ud800 (2026-03-09)")
    assert writing.text_of(newsletter, SLUG)[1] == "# 标题\ufffd? (2026-03-09)"


def test_a_text_over_size_is_refused_and_changes_nothing(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    with pytest.raises(IssueRefused, match="5,000,000"):
        writing.save(newsletter, chen, SLUG, "x" * (MAX_BYTES + 1), 1)
    assert writing.text_of(newsletter, SLUG)[1] == TEXT


def test_one_stretch_of_writing_is_one_revision(newsletter: Newsletter, chen: Actor, hands: Hands) -> None:
    writing.create(newsletter, chen, DAY)
    for minute in range(9):
        hands.minutes(1)
        saved = writing.save(newsletter, chen, SLUG, f"{TEXT}\n{minute}", 1)
    assert (saved.number, saved.saved_at) == (1, hands.now)
    hands.minutes(2)
    assert writing.save(newsletter, chen, SLUG, TEXT, 1).number == 2
    assert numbers(newsletter) == [2, 1]


def test_another_person_begins_another_revision(newsletter: Newsletter, chen: Actor, li: Actor) -> None:
    writing.create(newsletter, chen, DAY)
    assert writing.save(newsletter, li, SLUG, TEXT, 1).number == 2
    newest, first = writing.revisions(newsletter, SLUG)
    assert (newest.by, first.by) == (li.id, chen.id)


def test_the_same_text_makes_no_revision(newsletter: Newsletter, chen: Actor, li: Actor, hands: Hands) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    hands.minutes(60)
    assert writing.save(newsletter, li, SLUG, TEXT.replace("\n", "\r\n"), 1).number == 1


def test_the_same_text_is_read_anew_when_a_topic_came(newsletter: Newsletter, chen: Actor) -> None:
    text = TEXT.replace("模型与技术进展", "量子计算")
    writing.create(newsletter, chen, DAY, text)
    assert "topic-unknown" in {found.code for found in writing.text_of(newsletter, SLUG)[0].diagnostics}
    with newsletter.session() as session:
        newsletter.topics(session).add_alias("models", "量子计算")
    saved = writing.save(newsletter, chen, SLUG, text, 1)
    assert "topic-unknown" not in {found.code for found in saved.diagnostics}
    assert saved.issue.sections[0].topic == "models"


def test_an_edit_after_approval_is_a_new_revision_and_voids_it(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    approve(newsletter, SLUG)
    assert writing.save(newsletter, chen, SLUG, TEXT.replace("两亿", "三亿"), 1).number == 2
    with pytest.raises(IssueRefused, match="revision 2 of 2026-03-09 is not approved"):
        approved(newsletter, SLUG)
    assert writing.revision_text(newsletter, SLUG, 1) == TEXT
    assert [revision.use for revision in writing.revisions(newsletter, SLUG)] == ["", "approved"]


@pytest.mark.both_databases(False)
def test_an_edit_at_the_desk_blocks_the_send_of_the_command_line(
    newsletter: Newsletter, chen: Actor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("database_url", "sender", "base_url", "postal_address"):
        monkeypatch.setenv(f"NEWSLETTER_{name.upper()}", str(getattr(newsletter.settings, name)))
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", newsletter.settings.secret_key.get_secret_value())
    monkeypatch.setenv("NEWSLETTER_SMTP_URL", "smtp://127.0.0.1:1")
    with newsletter.session() as session:
        newsletter.people(session).add("reader@example.org", Preferences(topics=("models",)))
    writing.create(newsletter, chen, DAY, TEXT)
    approve(newsletter, SLUG)
    writing.save(newsletter, chen, SLUG, TEXT.replace("两亿", "三亿"), 1)
    said = Command(monkeypatch, capsys)("issue", "send", SLUG)
    assert said.code == 1
    assert "revision 2 of 2026-03-09 is not approved" in said.err


def test_what_was_sent_is_never_written_over(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    approve(newsletter, SLUG)
    begin(newsletter, SLUG)
    saved = writing.save(newsletter, chen, SLUG, TEXT.replace("两亿", "三亿"), 1)
    assert (saved.number, saved.sent) == (2, True)
    assert [revision.use for revision in writing.revisions(newsletter, SLUG)] == ["", "sent"]


def test_the_date_follows_the_text_until_the_issue_was_sent(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    later = TEXT.replace("2026-03-09", "2026-03-10")
    saved = writing.save(newsletter, chen, SLUG, later, 1)
    assert (saved.slug, saved.issue.date) == (SLUG, date(2026, 3, 10))
    approve(newsletter, SLUG)
    begin(newsletter, SLUG)
    assert writing.save(newsletter, chen, SLUG, TEXT, 1).issue.date == date(2026, 3, 10)


def test_importing_the_date_and_title_that_were_written_finds_the_issue(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    renamed = TEXT.replace("AI 行业动态 (2026-03-09)", "晨间简报 (2026-03-11)")
    writing.save(newsletter, chen, SLUG, renamed, 1)
    data = renamed.replace("两亿", "三亿").encode()
    saved, is_new = take_in(newsletter, read(newsletter, data), data)
    assert (saved.slug, saved.number, is_new) == (SLUG, 2, True)


def test_an_import_is_never_written_over(newsletter: Newsletter, chen: Actor) -> None:
    take_in(newsletter, read(newsletter, TEXT.encode()), TEXT.encode())
    assert writing.save(newsletter, COMMAND_LINE, SLUG, TEXT + "\n- x", 1).number == 2
    assert writing.save(newsletter, chen, SLUG, TEXT + "\n- y", 2).number == 3


def test_who_wrote_on_an_older_revision_meets_the_newest(newsletter: Newsletter, chen: Actor, li: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    writing.save(newsletter, li, SLUG, TEXT + "\n李", 1)
    with pytest.raises(writing.Conflict) as met:
        writing.save(newsletter, chen, SLUG, TEXT + "\n陈", 1)
    assert met.value.newest.number == 2
    assert writing.text_of(newsletter, SLUG)[1] == TEXT + "\n李"


def test_two_tabs_of_one_person_do_not_write_over_each_other(newsletter: Newsletter, chen: Actor) -> None:
    opened = writing.create(newsletter, chen, DAY, TEXT)
    first = writing.save(newsletter, chen, SLUG, TEXT + "\n一", 1, opened.fingerprint)
    with pytest.raises(writing.Conflict):
        writing.save(newsletter, chen, SLUG, TEXT + "\n二", 1, opened.fingerprint)
    assert writing.save(newsletter, chen, SLUG, TEXT + "\n三", 1, first.fingerprint).number == 1


@pytest.mark.both_databases
def test_of_savings_at_once_one_wins_and_the_others_meet_it(newsletter: Newsletter, chen: Actor) -> None:
    staff = [add_staff(newsletter, f"editor{n}@example.org", name=f"编辑{n}") for n in range(4)]
    writing.create(newsletter, chen, DAY, TEXT)

    def one(who: Actor) -> str:
        try:
            return writing.save(newsletter, who, SLUG, f"{TEXT}\n{who.name}", 1).slug
        except writing.Conflict:
            return "conflict"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, staff)) == [SLUG, *["conflict"] * 3]
    assert numbers(newsletter) == [2, 1]


def test_stories_keep_their_ids_while_they_are_edited(newsletter: Newsletter, chen: Actor) -> None:
    before = writing.create(newsletter, chen, DAY, TEXT).issue
    after = writing.save(newsletter, chen, SLUG, TEXT.replace("公开声呐识别模型", "公开声呐识别新模型"), 1).issue
    assert [story.id for story in after.stories] == [story.id for story in before.stories]


def test_a_story_that_readers_had_keeps_its_id_when_it_is_cut_and_comes_back(
    newsletter: Newsletter, chen: Actor
) -> None:
    edited = TEXT.replace("港湾研究所公开声呐识别模型", "港湾研究所的声呐模型公开了")
    writing.create(newsletter, chen, DAY, TEXT)
    had = writing.save(newsletter, chen, SLUG, edited, 1).issue.stories[0]
    approve(newsletter, SLUG)
    begin(newsletter, SLUG)
    cut = "\n".join(edited.split("\n")[:4]) + edited[edited.index("- **松木") :]
    assert len(writing.save(newsletter, chen, SLUG, cut, 1).issue.stories) == 1
    assert writing.save(newsletter, chen, SLUG, edited, 2).issue.stories[0].id == had.id


def test_the_audit_log_knows_who_created_and_began_a_revision_but_not_every_autosave(
    newsletter: Newsletter, chen: Actor, hands: Hands
) -> None:
    writing.create(newsletter, chen, DAY)
    writing.save(newsletter, chen, SLUG, TEXT, 1)
    hands.minutes(11)
    writing.save(newsletter, chen, SLUG, TEXT + "\n", 1)
    assert actions(newsletter) == ["issue created", "issue saved"]


def test_an_earlier_issue_lends_its_sections_and_front_matter(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, "---\npreheader: 每天三分钟\n---\n" + TEXT)
    saved = writing.from_earlier(newsletter, chen, SLUG, date(2026, 3, 10))
    assert (saved.slug, saved.issue.date, saved.issue.preheader) == ("2026-03-10", date(2026, 3, 10), "每天三分钟")
    assert [(section.title, section.topic, section.stories) for section in saved.issue.sections] == [
        ("模型与技术进展", "models", ())
    ]


def test_own_stories_are_no_repeats_of_themselves_under_a_new_title(newsletter: Newsletter, chen: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    saved = writing.save(newsletter, chen, SLUG, TEXT.replace("AI 行业动态", "晚间简报"), 1)
    assert [found.code for found in saved.diagnostics] == []


def test_the_next_free_date_passes_those_taken(newsletter: Newsletter, chen: Actor, hands: Hands) -> None:
    for day in (9, 10, 12):  # it is the morning of the 9th in Shanghai
        writing.create(newsletter, chen, date(2026, 3, day))
    assert writing.next_free_date(newsletter) == date(2026, 3, 11)


@pytest.mark.parametrize("slug", ["2026-01-01", "x\0y", "", "%"])
def test_an_unknown_issue_is_refused(newsletter: Newsletter, chen: Actor, slug: str) -> None:
    for ask in (
        lambda: writing.text_of(newsletter, slug),
        lambda: writing.save(newsletter, chen, slug, TEXT, 1),
        lambda: writing.revisions(newsletter, slug),
        lambda: writing.difference(newsletter, slug, 1, 1),
    ):
        with pytest.raises(IssueRefused):
            ask()


@pytest.mark.both_databases(False)
@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_a_difference_holds_both_texts(old: list[str], new: list[str]) -> None:
    lines = compare("\n".join(old), "\n".join(new))
    assert [line.text for line in lines if line.old] == ("\n".join(old)).split("\n")
    assert [line.text for line in lines if line.new] == ("\n".join(new)).split("\n")
    assert all("".join(text for text, _ in line.parts) == line.text for line in lines)


@pytest.mark.both_databases(False)
def test_words_that_changed_are_marked_inside_their_line() -> None:
    lines = compare("参数量为两亿。\nsame", "参数量为三亿。\nsame")
    assert [(line.kind, [text for text, changed in line.parts if changed]) for line in lines] == [
        ("removed", ["两"]),
        ("added", ["三"]),
        ("same", []),
    ]


@pytest.mark.both_databases(False)
def test_two_long_texts_with_nothing_in_common_are_compared_at_once() -> None:
    old, new = "\n".join(f"a{n}" for n in range(100_000)), "\n".join(f"b{n}" for n in range(100_000))
    assert len(compare(old, new)) == 200_000


def test_revisions_can_be_compared(newsletter: Newsletter, chen: Actor, li: Actor) -> None:
    writing.create(newsletter, chen, DAY, TEXT)
    writing.save(newsletter, li, SLUG, TEXT.replace("两亿", "三亿"), 1)
    changed = [line for line in writing.difference(newsletter, SLUG, 1, 2) if line.kind != "same"]
    assert [(line.kind, line.old, line.new, line.text) for line in changed] == [
        ("removed", 10, 0, "  说明：参数量为两亿。"),
        ("added", 0, 10, "  说明：参数量为三亿。"),
    ]
