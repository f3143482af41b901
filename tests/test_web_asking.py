"""Pages that ask in the name of an address: what they say when there is too much of it, and where mail cannot go."""

import json
import re

import pytest
from reader_samples import WEN, add, letters, link
from sending import Clock
from sqlmodel import select
from web_samples import far

from newsletter.app import Newsletter
from newsletter.readers.leaving import PAGE, leave
from newsletter.readers.limits import PER_ORIGIN
from subscribers.models import SignUp
from subscribers.tokens import Purpose


@pytest.fixture(autouse=True)
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


def test_the_eleventh_link_within_an_hour_is_put_off_and_what_was_typed_stays(
    newsletter: Newsletter, clock: Clock
) -> None:
    client = far(newsletter)
    (token,) = re.findall(r'name="form" value="([^"]*)"', client.get("/preferences").text)
    clock.move(seconds=5)
    answers = [
        client.post("/preferences", data={"address": f"w{number}@example.com", "form": token}, follow_redirects=False)
        for number in range(PER_ORIGIN + 1)
    ]
    assert [one.status_code for one in answers] == [303] * PER_ORIGIN + [429]
    assert answers[-1].headers["retry-after"] == "3600"
    assert f'value="w{PER_ORIGIN}@example.com"' in answers[-1].text
    assert "请一小时后再试" in answers[-1].text


@pytest.mark.parametrize(("language", "sentence"), [("zh", "按“订阅”即表示"), ("en", "By pressing Subscribe")])
@pytest.mark.parametrize("wording", [{}, {"wording": ""}, {"wording": " \n"}])
def test_a_call_without_a_text_agreed_to_records_our_own(
    newsletter: Newsletter, language: str, sentence: str, wording: dict[str, str]
) -> None:
    body = json.dumps({"address": WEN, "topics": ["models"], "language": language, **wording})
    assert far(newsletter).post("/api/subscribe", content=body).status_code == 202
    with newsletter.reading() as session:
        assert session.exec(select(SignUp)).one().wording.startswith(sentence)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize(("reason", "shut"), [("complaint", True), ("bounce", False)])
def test_where_no_mail_can_go_the_way_to_ones_data_is_the_publishers_address(
    newsletter: Newsletter, left: bool, reason: str, shut: bool
) -> None:
    person = add(newsletter)
    with newsletter.session() as session:
        newsletter.suppression(session).add(WEN, reason)
    if left:
        leave(newsletter, link(newsletter, Purpose.UNSUBSCRIBE, person), PAGE)
    token = link(newsletter, Purpose.PREFERENCES, person)
    page = far(newsletter).get(f"/preferences/{token}?done=data").text
    assert (f'action="/preferences/{token}/data"' in page) != shut
    assert ("要导出或删除我们保存的内容，请写信给 daily@example.org" in page) == shut
    assert ("链接已寄到你的邮箱" in page) != shut
    assert letters(newsletter) == []
