"""What the desk refuses is said in the page's language, whatever the command line says in English."""

import re

import pytest
from desk_samples import at_desk
from web_samples import SLUG, add_issue, add_reader

from newsletter.app import Newsletter
from newsletter.staff.rights import Role

CSV = (
    "address,name,topics,state,hour,most,zone,follow\n"
    "nobody,,,,,,,\n"
    "a@example.org,,nonsense,,,,,\n"
    "b@example.org,,,gone,,,,\n"
    "c@example.org,,,,99,,Asia/Shanghai,\n"
    "e@example.org,,,,,0,,\n"
    "f@example.org,,,,,,Moon/Sea,\n"
)
ZH = (
    "地址写得不对",
    "没有代号为“nonsense”",
    "状态不能是“gone”",
    "钟点不能是“99”",
    "条数不能是“0”",
    "Moon/Sea",
)
EN = ("no address that mail", "no topic “nonsense”", "not “gone”", "not “99”", "not “0”", "Moon/Sea")


@pytest.mark.parametrize(("language", "said"), [("zh", ZH), ("en", EN)])
def test_an_import_says_what_is_wrong_in_the_page_s_language(
    newsletter: Newsletter, language: str, said: tuple[str, ...]
) -> None:
    desk = at_desk(newsletter, Role.ADMIN)
    headers = {"accept-language": language}
    page = desk.post("/desk/readers/import", files={"file": ("r.csv", CSV.encode())}, headers=headers).text
    reasons = re.findall(r'<td class="soft">(.*?)</td>', page)
    assert len(reasons) == len(said)
    assert all(one in reason for one, reason in zip(said, reasons, strict=True))


def test_a_file_that_is_no_list_is_refused_with_what_to_do_before_the_detail(newsletter: Newsletter) -> None:
    desk = at_desk(newsletter, Role.ADMIN)
    page = desk.post("/desk/readers/import", files={"file": ("r.csv", b"name\nbo\n")})
    assert page.status_code == 422
    assert re.search(r'什么也没有改变。[^<]*<span lang="en">line 1: no column is called address', page.text)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("by=topics&topics=funding", "没有归入这些主题的条目"),
        ("by=topics&topics=nowhere", "没有代号为“nowhere”的主题"),
        ("by=reader&reader=nobody@example.com", "nobody@example.com 不是读者"),
        ("by=reader&reader=bo@example.org", "bo@example.org 收不到这一期：没有合适的内容"),
    ],
)
def test_an_empty_preview_says_why_and_what_to_do(newsletter: Newsletter, query: str, said: str) -> None:
    add_issue(newsletter)
    add_reader(newsletter, "bo@example.org", "funding")
    page = at_desk(newsletter).get(f"/desk/issues/{SLUG}/preview?{query}").text
    assert said in " ".join(page.split())
