"""What a filled message is on the wire."""

import base64
import email
import email.policy
import quopri
import re
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render_samples import (
    EDITION,
    EVERYTHING,
    ISSUE,
    PUBLICATION,
    QUIET,
    READER,
    compiled,
    editions,
    issues,
    ten_stories,
    texts,
)

from newsletter.compose.edition import FOLLOWED, Edition, Group
from newsletter.content.issue import Section
from newsletter.render.assemble import Assembler, assemble
from newsletter.render.compiled import CompiledIssue
from newsletter.render.headers import MessageRefused
from newsletter.render.message import fill, html_of, subject_of, text_of
from newsletter.render.recipient import Message
from newsletter.render.size import full_edition
from newsletter.render.spans import clean

COMPILED = compiled()
ASSEMBLED = assemble(COMPILED, EDITION)
ENGLISH = replace(ISSUE, title="AI Daily", sections=(replace(ISSUE.sections[2]),))
HEADERS = {"from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"}
LIST_HEADERS = {"list-id", "list-help", "list-owner", "list-archive", "list-unsubscribe", "list-unsubscribe-post"}


def parsed(message: Message) -> EmailMessage:
    return email.message_from_bytes(message.data, policy=email.policy.default)


def parts(message: Message) -> tuple[str, str]:
    text, html = (part.get_content().replace("\r\n", "\n") for part in parsed(message).iter_parts())
    return text, html


def raw_headers(data: bytes) -> dict[str, str]:
    """Header lines as they stand, folds taken out."""
    head = data.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ")
    return dict(line.split(": ", 1) for line in head.split("\r\n"))


class Links(HTMLParser):
    """The http(s) links, the tags and the visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.shown: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value for name, value in attrs if name == "href" and value and value.startswith("http")}

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def assert_sound(message: Message) -> None:
    """No defect anywhere, every line within its limits and none that begins with a dot."""
    for part in parsed(message).walk():
        assert not part.defects
        assert not any(value.defects for value in part.values())
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", message.data) is None
    assert not any(line.startswith(b".") or len(line) > 998 for line in message.data.split(b"\r\n"))
    body = message.data.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 78
    assert message.data.endswith(b"\r\n")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_message_parses_without_defects_and_decodes_to_its_parts(data: st.DataObject) -> None:
    issue = data.draw(issues())
    assembled = assemble(compiled(issue), data.draw(editions(issue)))
    reader = replace(READER, name=clean(data.draw(texts)))
    message = fill(assembled, reader)
    assert_sound(message)
    assert parts(message) == (text_of(assembled, reader), html_of(assembled, reader))
    assert parsed(message)["Subject"].split() == subject_of(assembled, reader).split()
    assert {address.addr_spec for address in parsed(message)["To"].addresses} == {READER.address}


def bare(text: str) -> str:
    """A text without the brackets that stand around addresses."""
    return text.replace("<", "").replace(">", "")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(issues())
def test_text_and_html_hold_the_same_links_and_titles_and_no_markup_of_the_editor(issue) -> None:
    made = compiled(issue)
    assembled = assemble(made, full_edition(made))
    page = Links(html_of(assembled, READER))
    text = text_of(assembled, READER)
    for link in page.links:
        assert link in text
    shown = "".join(page.shown)
    for story in made.stories:
        assert bare(story.name) in bare(text)
        assert story.name in shown
    assert page.tags.isdisjoint({"script", "mj-raw", "mj-text", "plaintext"})
    assert not any(link.startswith("javascript") for link in page.links)


def test_text_and_html_have_the_same_links() -> None:
    assembled = assemble(COMPILED, EVERYTHING)
    text, html = text_of(assembled, READER), html_of(assembled, READER)
    shown = set(re.findall(r'<img src="([^"]+)"', html))  # a picture stands as a link in the text
    assert set(re.findall(r"https?://[^\s>]+", text)) == Links(html).links | shown
    assert shown


def test_the_same_reader_gets_identical_bytes_from_a_fresh_compilation() -> None:
    assert fill(assemble(compiled(), EDITION), READER) == fill(ASSEMBLED, READER)


def test_each_header_stands_once_and_list_headers_hold_no_encoded_word() -> None:
    head = fill(ASSEMBLED, READER).data.partition(b"\r\n\r\n")[0].decode("ascii")
    names = [line.partition(":")[0].lower() for line in head.split("\r\n") if not line.startswith(" ")]
    assert sorted(names) == sorted(HEADERS | LIST_HEADERS)
    assert not any("=?" in value for name, value in raw_headers(head.encode()).items() if name.startswith("List-"))


@pytest.mark.parametrize("length", [20, 40, 70, 90, 200, 300, 400])
def test_the_unsubscribe_link_stays_whole_however_long_it_is(length: int) -> None:
    reader = replace(READER, unsubscribe_token="x" * length)
    message = fill(ASSEMBLED, reader)
    url = f"https://news.example.org/unsubscribe/{'x' * length}"
    headers = raw_headers(message.data)
    assert headers["List-Unsubscribe"] == (f"<{url}>, <mailto:leave@example.org?subject=unsubscribe%20{'x' * length}>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = parts(message)
    assert url in text
    assert f'href="{url}"' in html
    assert_sound(message)


def test_without_an_inbound_address_only_the_link_unsubscribes() -> None:
    assembled = assemble(compiled(publication=replace(PUBLICATION, inbound_address="")), EDITION)
    assert "mailto" not in raw_headers(fill(assembled, READER).data)["List-Unsubscribe"]


def test_help_and_owner_of_the_list_are_whoever_answers_replies() -> None:
    headers = raw_headers(fill(ASSEMBLED, READER).data)
    assert headers["List-Owner"] == "<mailto:desk@example.org>"
    assert headers["List-Help"] == "<mailto:desk@example.org?subject=help>"
    silent = assemble(compiled(publication=replace(PUBLICATION, reply_to="")), EDITION)
    assert not {"List-Owner", "List-Help"} & raw_headers(fill(silent, READER).data).keys()


def test_every_mail_names_the_archive() -> None:
    assert raw_headers(fill(ASSEMBLED, READER).data)["List-Archive"] == "<https://news.example.org/archive>"


def test_what_has_a_meaning_in_addresses_of_the_web_is_escaped_in_a_mailto() -> None:
    awkward = replace(PUBLICATION, inbound_address="a?b&c%d#e/f+g@example.org", reply_to="x=y'z@example.org")
    headers = raw_headers(fill(assemble(compiled(publication=awkward), EDITION), READER).data)
    assert "<mailto:a%3Fb%26c%25d%23e%2Ff+g@example.org?subject=unsubscribe%20" in headers["List-Unsubscribe"]
    assert headers["List-Owner"] == "<mailto:x%3Dy'z@example.org>"


def test_headers_say_what_recipient_and_publication_say() -> None:
    message = parsed(fill(ASSEMBLED, READER))
    assert message["From"] == "AI 行业动态 <daily@example.org>"
    assert message["To"] == "陈晓 <chen@example.com>"
    assert message["Reply-To"] == "编辑部 <desk@example.org>"
    assert message["Subject"] == "示例研究院公开海洋预报模型的训练数据等 3 条"
    assert message["Date"] == "Mon, 09 Mar 2026 08:00:00 +0800"
    assert message["Message-ID"] == "<m7.42@example.org>"
    assert message["List-Id"] == "<daily.example.org>"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in message.iter_parts()} == {"utf-8"}


def test_an_ascii_sender_names_the_list() -> None:
    assembled = assemble(compiled(publication=replace(PUBLICATION, sender="AI Daily <daily@example.org>")), EDITION)
    assert raw_headers(fill(assembled, READER).data)["List-Id"] == "AI Daily <daily.example.org>"


def test_a_test_send_is_marked_in_the_readers_language() -> None:
    assert parsed(fill(ASSEMBLED, replace(READER, test=True)))["Subject"].startswith("[测试] ")
    english = assemble(compiled(language="en"), EDITION)
    assert parsed(fill(english, replace(READER, test=True)))["Subject"].startswith("[Test] ")


def test_the_text_format_is_one_plain_part() -> None:
    message = fill(ASSEMBLED, replace(READER, format="text"))
    assert parsed(message).get_content_type() == "text/plain"
    assert parsed(message).get_content().replace("\r\n", "\n") == text_of(ASSEMBLED, READER)
    assert_sound(message)


def test_short_ascii_text_goes_unencoded() -> None:
    issue = replace(ENGLISH, sections=(replace(ENGLISH.sections[0], stories=(replace(QUIET, body=QUIET.body[1:3]),)),))
    publication = replace(PUBLICATION, sender="AI Daily <daily@example.org>", postal_address="1 Example Road")
    assembled = assemble(compiled(issue, "en", publication), Edition((Group("products", ("quiet",)),)))
    reader = replace(READER, topics=(), name="", unsubscribe_token="t")
    text, _ = parsed(fill(assembled, reader)).iter_parts()
    assert text["Content-Transfer-Encoding"] == "7bit"
    assert text.get_content().replace("\r\n", "\n") == text_of(assembled, reader)


@pytest.mark.parametrize("issue", [ISSUE, ENGLISH, ten_stories()])
def test_each_part_takes_the_smaller_of_the_two_encodings(issue) -> None:
    made = compiled(issue)
    assembled = assemble(made, full_edition(made))
    for part in parsed(fill(assembled, READER)).iter_parts():
        data = part.get_content().encode()
        base64_size = len(base64.encodebytes(data).replace(b"\n", b"\r\n"))
        quoted_size = sum(len(quopri.encodestring(line)) + 2 * line.count(b"\n") for line in data.split(b"\r\n"))
        assert len(part.get_payload()) <= 1.02 * min(base64_size, quoted_size) + 100


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Chen\r\nBcc: all@example.org"},
        {"name": "Chen\x00"},
        {"name": "Chen\u2028"},
        {"address": "chen@example.com>\r\nRCPT TO:<x@example.org"},
        {"address": "chen @example.com"},
        {"address": "陈@example.com"},
        {"address": ""},
        {"unsubscribe_token": "a/b"},
        {"unsubscribe_token": "a>\r\nX: y"},
        {"unsubscribe_token": "x" * 1000},
        {"preferences_token": "a/b"},
        {"view_token": '"><script>'},
        {"key": "a b"},
        {"key": "k>\r\n"},
        {"date": datetime(2026, 3, 9, 8)},
    ],
)
def test_a_value_that_could_break_a_header_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(MessageRefused):
        fill(ASSEMBLED, replace(READER, **wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "A\r\nBcc: x@example.org <daily@example.org>"},
        {"sender": "nobody"},
        {"envelope_sender": "a b@example.org"},
        {"list_id": "<a>\r\nX: y"},
        {"base_url": "javascript:alert(1)"},
        {"inbound_address": "leave@example.org>, <https://x.example.org/"},
        {"reply_to": "x\n"},
    ],
)
def test_a_setting_that_could_break_a_header_is_refused(wrong: dict[str, str]) -> None:
    issue = compiled(publication=replace(PUBLICATION, **wrong))
    with pytest.raises(MessageRefused):
        assemble(issue, EDITION)


@pytest.mark.parametrize("groups", [(), (Group("models", ("nothing",)),), (Group("sports", ("ocean",)),)])
def test_an_edition_that_is_not_of_the_issue_is_refused(groups: tuple[Group, ...]) -> None:
    with pytest.raises(ValueError, match="edition"):
        assemble(COMPILED, Edition(groups))


def test_the_footer_masks_the_address_and_names_the_topics() -> None:
    for part in parts(fill(ASSEMBLED, READER)):
        assert "c***@example.com" in part
        assert "chen@" not in part
        assert "模型与技术进展、政策与监管" in part
        assert "示例新闻社" in part


def test_a_reader_without_topics_is_told_why_too() -> None:
    assert "订阅了本刊" in text_of(ASSEMBLED, replace(READER, topics=()))


def test_numbers_count_in_the_order_of_the_edition() -> None:
    text = text_of(assemble(COMPILED, EVERYTHING), READER)
    numbered = re.findall(r"(?m)^(\d)\. (Tidewater|示例市|示例团队|示例研究院)", text)
    order = [("1", "Tidewater"), ("2", "示例市"), ("3", "示例团队"), ("4", "示例研究院")]
    assert numbered == [*order, *order]


def test_followed_stories_stand_under_their_own_heading() -> None:
    assert "== 你关注的关键词 ==" in text_of(assemble(COMPILED, Edition((Group(FOLLOWED, ("ocean",)),))), READER)
    english = assemble(compiled(language="en"), Edition((Group(FOLLOWED, ("ocean",)),)))
    assert "== Keywords you follow ==" in text_of(english, READER)


def test_the_preview_of_one_story_is_what_the_story_begins_with() -> None:
    bare = replace(QUIET, summary="", points=())
    for story, said in (
        (replace(bare, summary="A *summary*.", points=("A point.",)), "A summary."),
        (replace(bare, points=("A point.", "Another.")), "A point."),
        (bare, "The suite measures how often a model is wrong without saying so. Run tide bench to see."),
        (replace(bare, body=QUIET.body[1:]), "In this issue"),
    ):
        issue = replace(ISSUE, sections=(Section("产品", (story,), topic="products"),))
        assert assemble(compiled(issue, "en"), Edition((Group("products", ("quiet",)),))).preheader == said


OLD = """{"theme":"daily","language":"zh","publication":{"sender":"a <a@example.org>","envelope_sender":"b@example.org",
"list_id":"<l.example.org>","base_url":"https://n.example.org","reply_to":"","inbound_address":"","postal_address":"",
"zone":"UTC"},"subject":"","preheader":"","labels":{"lang":"zh-CN","summary":"说明"},"names":{"models":"模型"},
"headings":["models"],"stories":[{"id":"a","name":"甲","teaser":"","topics":["models"]}],
"html":{"top":[["<p>"],[]],"tail":[["</p>"],[]]},"text":{"top":[[""],[]],"tail":[[""],[]]}}"""


def test_an_issue_compiled_by_an_earlier_version_is_refused_in_words() -> None:
    with pytest.raises(MessageRefused, match="approve the issue again"):
        CompiledIssue.from_json(OLD)


def test_an_assembler_keeps_no_more_than_its_capacity() -> None:
    assembler = Assembler(COMPILED, capacity=2)
    first = assembler(EDITION)
    assert assembler(EDITION) is first
    assembler(EVERYTHING)
    assembler(Edition((Group("policy", ("rules",)),)))
    assert assembler(EDITION) is not first
    assert assembler(EDITION) == first


def test_what_an_approval_is_bound_to_changes_with_text_subject_and_sender() -> None:
    hashes = {
        COMPILED.content_hash,
        compiled(replace(ISSUE, title="别的标题")).content_hash,
        compiled(replace(ISSUE, subject="固定的主题行")).content_hash,
        compiled(publication=replace(PUBLICATION, sender="daily@example.org")).content_hash,
        compiled(publication=replace(PUBLICATION, list_id="<other.example.org>")).content_hash,
        compiled(language="en").content_hash,
    }
    assert len(hashes) == 6
    assert compiled().content_hash == COMPILED.content_hash
