"""Every check finds what it is for, and is well where there is nothing to find; each is documented."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from name_server import ROOT, NameServer
from review_samples import ISSUE, KEY, LINKS, NOW, PICTURE, Bench
from sqlalchemy import Engine

from newsletter.checkup.dns_records import Names
from newsletter.review.report import SLOW, review
from newsletter.review.sending_checks import sender_records, theme_trial
from newsletter.review.spam import spam_score
from newsletter.review.verdicts import Check, Verdict
from newsletter.settings import Settings
from newsletter.storage.models import ImageRow

DOCUMENT = (Path(__file__).parents[1] / "docs" / "reference" / "checks.md").read_text("utf-8")
SPAMC = 'cat >/dev/null; printf "{score}/5.0\\n\\n pts rule name description\\n {score} {rule} BODY: words\\n"'
WELL_SPAMC = SPAMC.format(score="0.1", rule="HTML_MESSAGE")
BAD_SPAMC = SPAMC.format(score="6.5", rule="SUBJ_ALL_CAPS") + "; exit 1"
WELL_RECORDS = {
    **ROOT,
    ("example.org", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"],
    ("_dmarc.example.org", "TXT"): ["v=DMARC1; p=none"],
    ("example.org", "MX"): ["10 mx.example.org."],
}


@pytest.fixture
def bench(settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("PATH", str(tmp_path / "programs"), prepend=":")
    return Bench(settings, engine, tmp_path)


def head(**lines: str) -> str:
    """The issue with a front matter."""
    return "---\n" + "".join(f"{name}: '{value}'\n" for name, value in lines.items()) + "---\n" + ISSUE


def at_once(name: str, text: str = ISSUE) -> Callable[[Bench], Check]:
    """One of the quick checks of a text."""
    return lambda bench: bench.checks(text)[name]


def spamc(bench: Bench, script: str) -> Check:
    """What is made of the answer of a `spamc`."""
    folder = bench.folder / "programs"
    folder.mkdir()
    (folder / "spamc").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "spamc").chmod(0o755)
    return spam_score(bench.specimen())


def records(bench: Bench, known: dict[tuple[str, str], list[str]]) -> Check:
    """What is made of the records that a name server knows."""
    with NameServer(known) as server:
        return sender_records(bench.specimen(), Names("127.0.0.1", server.port))


def with_readers(name: str, *topics: tuple[int, str], text: str = ISSUE) -> Callable[[Bench], Check]:
    """A quick check where there are so many readers of each topic."""

    def look(bench: Bench) -> Check:
        for count, topic in topics:
            bench.readers(count, topic)
        return bench.checks(text)[name]

    return look


def with_settings(name: str, **changes: object) -> Callable[[Bench], Check]:
    """A quick check with other settings."""

    def look(bench: Bench) -> Check:
        bench.set(**changes)
        return bench.checks()[name]

    return look


def with_theme(name: str, file: str, old: str, new: str) -> Callable[[Bench], Check]:
    """A quick check with a theme of one's own."""

    def look(bench: Bench) -> Check:
        bench.theme(file, old, new)
        return bench.checks()[name]

    return look


def with_links(verdict: str, reason: str = "200") -> Callable[[Bench], Check]:
    """The check of links when this is known of them."""

    def look(bench: Bench) -> Check:
        bench.know(dict.fromkeys(LINKS, verdict), reason)
        return bench.checks()["links-broken"]

    return look


def with_picture(size_bytes: int) -> Callable[[Bench], Check]:
    """The check of pictures' sizes when ours is so large."""

    def look(bench: Bench) -> Check:
        picture = {"key": KEY, "media_type": "image/png", "width": 1072, "height": 400, "name": "t", "alt": "潮汐"}
        with bench.newsletter.session() as session:
            session.add(ImageRow(**picture, data=b"x" * size_bytes, made_at=NOW))
        return bench.checks()["picture-size"]

    return look


def tried(bench: Bench) -> Check:
    """The trial of a theme that shows no postal address."""
    bench.theme("mail.mjml.j2", "{{ sheet.postal_address }}", "")
    return theme_trial(bench.specimen())


@dataclass(frozen=True)
class Case:
    """How a check is made to find something, with which verdict, and words among the places; and how it is well."""

    bad: Callable[[Bench], Check]
    verdict: Verdict
    says: str
    well: Callable[[Bench], Check]


ONE, TWO = "群岛实验室公开潮汐预报模型", "山谷团队开源语音模型 Echo-2"
LONG = "\n".join(
    f"- **第 {number} 条：{ONE}**\n  说明：{'实验室公布了训练所用的观测数据。' * 12}\n"
    f"  来源出处：[群岛实验室](https://lab.example.org/{number})\n"
    for number in range(70)
)
CASES = {
    "text-errors": Case(
        at_once("text-errors", ISSUE.replace("(https://project.example.org/)", "(ftp://project.example.org/)")),
        Verdict.ERROR, "link-scheme", at_once("text-errors"),
    ),
    "text-warnings": Case(
        at_once("text-warnings", ISSUE.replace("  来源出处：[项目主页](https://project.example.org/)\n", "")),
        Verdict.WARNING, "source-missing", at_once("text-warnings"),
    ),
    "mail-made": Case(
        with_theme("mail-made", "mail.mjml.j2", "{{ group.name }}", "{{ group.nmae }}"),
        Verdict.ERROR, "nmae", at_once("mail-made"),
    ),
    "size": Case(at_once("size", ISSUE + LONG), Verdict.ERROR, ONE, at_once("size")),
    "client-support": Case(
        with_theme("client-support", "mail.mjml.j2", "<h2>", '<h2 style="position:absolute">'),
        Verdict.WARNING,
        "position:absolute Gmail (web), Gmail (iOS), Gmail (Android), Outlook (Windows), Outlook (iOS)",
        at_once("client-support"),
    ),
    "contrast": Case(
        with_theme("contrast", "mail.mjml.j2", "<h2>", '<h2 style="color:#cccccc">'),
        Verdict.WARNING, "#cccccc", at_once("contrast"),
    ),
    "dark-mode": Case(
        with_theme("dark-mode", "clients.css", "prefers-color-scheme", "prefers-contrast"),
        Verdict.WARNING, "", at_once("dark-mode"),
    ),
    "small-text": Case(
        with_theme("small-text", "mail.mjml.j2", "<h2>", '<h2 style="font-size:6px">'),
        Verdict.WARNING, "font-size:6px", at_once("small-text"),
    ),
    "subject-empty": Case(
        at_once("subject-empty", head(subject="—…—")), Verdict.WARNING, "—…—", at_once("subject-empty"),
    ),
    "subject-long": Case(
        at_once("subject-long", head(subject="十二个字的标题行写得很长很长" * 3)), Verdict.WARNING, "很长很长",
        at_once("subject-long", head(subject="不长的标题行")),
    ),
    "subject-capitals": Case(
        at_once("subject-capitals", head(subject="FREE MODELS TODAY")), Verdict.WARNING, "FREE",
        at_once("subject-capitals", head(subject="Free models for GPT users, 今天")),
    ),
    "subject-marks": Case(
        at_once("subject-marks", head(subject="大新闻！快看!")), Verdict.WARNING, "大新闻",
        at_once("subject-marks", head(subject="大新闻！快看")),
    ),
    "subject-names-story": Case(
        with_readers("subject-names-story", (2, "models"), (1, "policy"), text=head(subject=f"今天：{ONE}")
                     + "\n**政策与监管**\n\n- **岬角市发布公共数据细则**\n  说明：细则。\n  来源出处：[市](https://c.example.org/)\n"),
        Verdict.WARNING, ONE, with_readers("subject-names-story", (2, "models"), text=head(subject=f"今天：{ONE}")),
    ),
    "preheader": Case(
        at_once("preheader", head(subject="今天的要闻与数据", preheader="今天的要闻与数据，还有更多")),
        Verdict.WARNING, "还有更多", at_once("preheader", head(subject="今天的要闻", preheader="潮汐与语音")),
    ),
    "readers-without": Case(
        with_readers("readers-without", (3, "funding")), Verdict.ERROR, "",
        with_readers("readers-without", (3, "models")),
    ),
    "topics-without-story": Case(
        with_readers("topics-without-story", (2, "models"), (1, "funding")), Verdict.WARNING, "funding 1",
        with_readers("topics-without-story", (2, "models")),
    ),
    "links-broken": Case(with_links("broken", "404"), Verdict.WARNING, "404", with_links("ok")),
    "links-insecure": Case(
        at_once("links-insecure", ISSUE.replace("https://project", "http://project")),
        Verdict.WARNING, "http://project", at_once("links-insecure"),
    ),
    "links-address": Case(
        at_once("links-address", ISSUE.replace("project.example.org", "192.0.2.7")),
        Verdict.WARNING, "192.0.2.7", at_once("links-address"),
    ),
    "links-disguised": Case(
        at_once("links-disguised", ISSUE.replace("[说明页]", "[bank.example.net]")),
        Verdict.WARNING, "bank.example.net", at_once("links-disguised", ISSUE.replace("[说明页]", "[lab.example.org]")),
    ),
    "alt-text": Case(
        at_once("alt-text", ISSUE.replace("![一张潮汐图]", "![]")), Verdict.WARNING, PICTURE, at_once("alt-text"),
    ),
    "picture-host": Case(
        at_once("picture-host", ISSUE.replace(PICTURE, "https://pictures.example.net/a.png")),
        Verdict.WARNING, "pictures.example.net", at_once("picture-host"),
    ),
    "picture-size": Case(with_picture(200_001), Verdict.WARNING, "200 kB", with_picture(200_000)),
    "parts-links": Case(
        with_theme("parts-links", "mail.mjml.j2", "<h2>", '<h2><a href="https://only.example.org/here">x</a>'),
        Verdict.WARNING, "only.example.org", at_once("parts-links"),
    ),
    "parts-titles": Case(
        with_theme("parts-titles", "mail.txt.j2", "{{ blocks.story(story) -}}", "{{ story.summary | text }}\n"),
        Verdict.WARNING, ONE, at_once("parts-titles"),
    ),
    "one-click": Case(
        with_settings("one-click", base_url="http://news.example.org"), Verdict.WARNING, "http://",
        at_once("one-click"),
    ),
    "settings": Case(
        with_settings("settings", postal_address=""), Verdict.WARNING, "POSTAL_ADDRESS", at_once("settings"),
    ),
    "spam-score": Case(
        lambda bench: spamc(bench, BAD_SPAMC), Verdict.ERROR, "SUBJ_ALL_CAPS", lambda bench: spamc(bench, WELL_SPAMC),
    ),
    "sender-records": Case(
        lambda bench: records(bench, {**ROOT}), Verdict.ERROR, "SPF", lambda bench: records(bench, WELL_RECORDS),
    ),
    "theme": Case(tried, Verdict.ERROR, "postal address", lambda bench: theme_trial(bench.specimen())),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_check_finds_what_it_is_for_and_says_where(name: str, bench: Bench) -> None:
    check = CASES[name].bad(bench)
    assert (check.name, check.verdict) == (name, CASES[name].verdict)
    assert CASES[name].says in " ".join(f"{place.what} {place.note} {place.story}" for place in check.places)


@pytest.mark.parametrize("name", CASES)
def test_a_check_is_well_where_there_is_nothing_to_find(name: str, bench: Bench) -> None:
    assert CASES[name].well(bench).verdict is Verdict.OK


def test_every_check_that_is_made_has_its_cases_and_none_is_missing(bench: Bench) -> None:
    assert set(bench.checks()) == set(CASES)
    assert set(SLOW) <= set(CASES)


def test_an_issue_with_nothing_to_find_passes_all_that_is_made_at_once(bench: Bench) -> None:
    bench.readers(3, "models")
    with_picture(1000)(bench)
    made = review(bench.newsletter, bench.keep(ISSUE).slug)
    assert {check.name for check in made.checks if check.verdict is not Verdict.OK} == set(SLOW)
    assert (made.summary.passed, made.summary.not_checked) == (len(CASES) - len(SLOW), len(SLOW))


def test_every_check_is_documented_with_source_and_mend_and_none_beside_them() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\S.*?) \| (\S.*?) \| (\S.*?) \|$", DOCUMENT, re.M)
    assert [row[0] for row in rows] == [line.split("`")[1] for line in DOCUMENT.splitlines() if line.startswith("| `")]
    assert sorted(row[0] for row in rows) == sorted(CASES)
