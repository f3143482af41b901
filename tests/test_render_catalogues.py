"""The catalogues: complete, without idle messages, true to their originals; and other languages' rules."""

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from render_samples import compiled

from newsletter.render.compiled import CompiledIssue
from newsletter.render.labels import Labels, load_labels, read_labels
from newsletter.render.theme import templates_dir
from subscribers.preferences import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
FOLDER = templates_dir() / "locale"
FILES = sorted(FOLDER.glob("*.po"))
POLISH = """
msgid ""
msgstr ""
"Language: pl\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n"

msgid "EEEE, d MMMM y"
msgstr "EEEE, d MMMM y"

msgid "{n} story"
msgid_plural "{n} stories"
msgstr[0] "{n} artykuł"
msgstr[1] "{n} artykuły"
msgstr[2] "{n} artykułów"
"""


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def texts(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The messages that templates and code use, collected as `make words` does."""
    pot = tmp_path_factory.mktemp("words") / "words.pot"
    command = [Path(sys.executable).with_name("pybabel"), "-q", "extract", "-F", "pyproject.toml", "-c", "NOTE:"]
    subprocess.run([*command, "-o", pot, "newsletter/render", "templates/email"], cwd=ROOT, check=True)
    return catalogue(pot)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_catalogue_translates_what_is_used_and_nothing_else(path: Path, used: Catalog) -> None:
    translated = {texts(message.id) for message in catalogue(path) if message.id}
    assert translated == {texts(message.id) for message in used if message.id}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_translation_is_empty_or_unsure(path: Path) -> None:
    for message in catalogue(path):
        assert all(texts(message.string)), f"{path}:{message.lineno}"
        assert not message.fuzzy, f"{path}:{message.lineno}"


def test_there_is_a_catalogue_for_every_language_that_readers_may_choose() -> None:
    labels = load_labels(FOLDER)
    assert set(labels) == set(LANGUAGES)
    assert (labels["zh"].lang, labels["en"].lang) == ("zh-CN", "en")


def test_dates_are_those_of_the_language() -> None:
    labels, day = load_labels(FOLDER), datetime.date(2026, 3, 9)
    assert labels["en"].long_date(day) == "Monday, 9 March 2026"
    assert labels["zh"].long_date(day) == "2026 年 3 月 9 日 · 星期一"
    assert read_labels(POLISH).long_date(day) == "poniedziałek, 9 marca 2026"


def test_a_time_zone_has_the_name_that_people_know_it_by() -> None:
    labels = load_labels(templates_dir() / "locale")
    zones = [ZoneInfo(name) for name in ("Asia/Shanghai", "UTC")]
    assert [labels["zh"].zone_name(zone) for zone in zones] == ["中国时间", "协调世界时"]
    assert [labels["en"].zone_name(zone) for zone in zones] == ["China Time", "Coordinated Universal Time"]


def test_a_source_line_names_the_year_when_it_is_not_the_issues() -> None:
    labels, day, issue = load_labels(FOLDER), datetime.datetime(2025, 12, 30), datetime.date(2026, 1, 2)
    assert labels["en"].short_date(day, issue) == "30 December 2025"
    assert labels["en"].short_date(issue, issue) == "2 January"
    assert labels["zh"].short_date(day, issue) == "2025 年 12 月 30 日"
    assert labels["zh"].short_date(issue, issue) == "1 月 2 日"


@pytest.mark.parametrize(
    ("n", "said"),
    [(1, "1 artykuł"), (2, "2 artykuły"), (5, "5 artykułów"), (12, "12 artykułów"), (22, "22 artykuły")],
)
def test_a_language_with_three_forms_takes_the_right_one(n: int, said: str) -> None:
    assert read_labels(POLISH).ngettext("{n} story", "{n} stories", n) == said


def test_what_a_catalogue_lacks_is_said_in_english() -> None:
    labels = read_labels(POLISH)
    assert labels.gettext("Summary") == "Summary"
    assert labels.ngettext("one of your topics", "{n} of your topics", 1) == "one of your topics"
    assert labels.ngettext("one of your topics", "{n} of your topics", 4) == "4 of your topics"


def test_a_translation_that_is_unsure_or_lacks_a_form_is_not_used() -> None:
    unsure = POLISH.replace('msgid "EEEE', '#, fuzzy\nmsgid "EEEE').replace('msgstr[2] "{n} artykułów"', "")
    assert read_labels(unsure).forms == {}


@given(st.dictionaries(st.sampled_from(["address", "topics"]), st.text()))
def test_a_value_is_never_read_as_a_pattern(values: dict[str, str]) -> None:
    """What looks like a placeholder inside a topic's name stays as it is, and so does one that nothing fills."""
    said = Labels("en", "n != 1", {}).gettext("{address}|{topics}", **values)
    assert said == f"{values.get('address', '{address}')}|{values.get('topics', '{topics}')}"


def test_a_pattern_reaches_no_further_than_its_values() -> None:
    labels = Labels("en", "n != 1", {})
    assert labels.gettext("{labels.forms} {labels!r} {0}", labels=labels) == "{labels.forms} {labels!r} {0}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("Language: pl", "Language: klingon"), "klingon"),
        (("Language: pl\\n", "X: y\\n"), "language"),
        (("n==1 ? 0", "n==1 ? 7"), "leaves its 3 forms"),
        (("n==1 ? 0", "import os"), "catalogue"),
        (("n==1 ? 0", "n%0 ? 0"), "catalogue"),
        (("{n} artykuły", "{number} artykuły"), "{number}"),
        (('msgstr[2] "', 'msgstr[3] "'), "more translations"),
        (('msgid "EEEE', "nonsense"), "catalogue"),
        (("{n} artykuły", "dwa artykuły"), "line 11: the translation leaves out {n}"),
    ],
)
def test_a_wrong_catalogue_is_refused_with_its_name_and_the_reason(
    change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "pl.po").write_text(POLISH.replace(*change), "utf-8")
    with pytest.raises(ValueError, match=r"pl\.po") as caught:
        load_labels(tmp_path)
    assert said in str(caught.value)


def test_a_form_for_one_number_alone_may_say_it_in_a_word() -> None:
    labels = read_labels(POLISH.replace('"{n} artykuł"', '"jeden artykuł"'))
    assert labels.ngettext("{n} story", "{n} stories", 1) == "jeden artykuł"


REASON = 'msgid "{address} reads {topics}"\nmsgstr "{address} czyta"\n'


def test_a_translation_that_loses_a_value_is_refused_unless_a_note_offers_another() -> None:
    with pytest.raises(ValueError, match=r"line 17: the translation leaves out \{topics\}"):
        read_labels(f"{POLISH}\n{REASON}")
    offered = "#. NOTE: {all} may stand instead of {topics}\n" + REASON.replace("czyta", "czyta {all}")
    assert read_labels(f"{POLISH}\n{offered}").gettext("{address} reads {topics}", all="3") == "{address} czyta 3"


SINGULAR = (
    POLISH.replace('msgid_plural "{n} stories"\nmsgstr[0]', "msgstr")
    .replace("msgstr[1]", "#")
    .replace("msgstr[2]", "#")
)


def test_a_message_without_the_plural_that_others_give_it_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "cs.po").write_text(POLISH.replace("Language: pl", "Language: cs"), "utf-8")
    (tmp_path / "pl.po").write_text(SINGULAR, "utf-8")
    with pytest.raises(ValueError, match=r"pl\.po: line 11: '\{n\} story' goes by a number: it lacks msgid_plural"):
        load_labels(tmp_path)


@given(st.integers(min_value=0, max_value=10**6))
def test_a_number_for_which_there_is_no_form_is_said_in_english(n: int) -> None:
    said = read_labels(SINGULAR).ngettext("{n} story", "{n} stories", n)
    assert said == (f"{n} artykuł" if n == 1 else f"{n} stories")


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_survive_json(language: str) -> None:
    made = compiled(language=language)
    assert CompiledIssue.from_json(made.to_json()).labels == made.labels
    assert Labels.from_dict(json.loads(json.dumps(made.labels.to_dict()))) == made.labels


@pytest.mark.parametrize("pattern", ["{bad QQQQQQQ", "EEEEEEEEE", "yyyy MMMMMMMM"])
def test_a_date_that_cldr_cannot_read_is_refused_with_the_pattern(pattern: str) -> None:
    broken = POLISH.replace('msgstr "EEEE, d MMMM y"', f'msgstr "{pattern}"')
    with pytest.raises(ValueError, match=re.escape(pattern)):
        read_labels(broken)
