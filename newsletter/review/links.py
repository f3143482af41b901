"""The links of an issue: whether they lead anywhere, asked at most once a day for each."""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.review.fetch import Answer, Fetcher, Verdict
from newsletter.review.models import CheckedLink
from newsletter.storage.upsert import upsert

MOST_LINKS = 200
"""More than any issue has; what is beyond stays unchecked."""
_AT_ONCE = 8
_ALL_SECONDS = 30
_KEPT = {Verdict.OK: timedelta(hours=24), Verdict.BROKEN: timedelta(hours=24)}
_KEPT_ELSE = timedelta(hours=1)
"""How long it counts that a server was slow or out of order: it may be well again soon."""


@dataclass(frozen=True, slots=True)
class LinkResult:
    """What is known of one link; `reason` is a status such as `404`, or a word such as `timeout`."""

    url: str
    verdict: Verdict
    reason: str
    checked_at: datetime | None = None


def known(newsletter: Newsletter, urls: Iterable[str]) -> dict[str, LinkResult]:
    """What is known of these links; what was never asked, or too long ago, is not checked."""
    wanted = list(dict.fromkeys(urls))
    now = newsletter.clock()
    with newsletter.reading() as session:
        rows = _rows(session, wanted)
    return {url: _result(url, rows.get(_hash(url)), now) for url in wanted}


def check(newsletter: Newsletter, urls: Iterable[str], fetcher: Fetcher | None = None) -> dict[str, LinkResult]:
    """Ask for those of these links of which nothing is known, several at once, for half a minute in all."""
    found = known(newsletter, urls)
    unknown = [url for url, result in found.items() if result.verdict is Verdict.NOT_CHECKED][:MOST_LINKS]
    if not unknown:
        return found
    name = newsletter.settings.base_url
    answers = _fetched(fetcher or Fetcher(f"newsletter-link-check (+{name})"), unknown)
    now = newsletter.clock()
    told = {url: answer for url, answer in answers.items() if answer.verdict is not Verdict.NOT_CHECKED}
    if told:
        with newsletter.session() as session:
            _keep(session, told, now)
    return found | {url: LinkResult(url, one.verdict, one.reason, now) for url, one in answers.items()}


def _fetched(fetcher: Fetcher, urls: list[str]) -> Mapping[str, Answer]:
    """The answers that came in time; who is still asked then is left to itself, and ends by its own time-outs."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    asked = {pool.submit(fetcher.fetch, url): url for url in urls}
    done, late = wait(asked, timeout=_ALL_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    return {asked[one]: one.result() for one in done} | {
        asked[one]: Answer(Verdict.NOT_CHECKED, "time") for one in late
    }


def _keep(session: Session, told: Mapping[str, Answer], now: datetime) -> None:
    table = CheckedLink.__table__  # type: ignore[attr-defined]  # which SQLModel does not declare
    rows = [
        {"url_hash": _hash(url), "url": url, "checked_at": now, "verdict": str(one.verdict), "detail": one.reason}
        for url, one in told.items()
    ]
    session.execute(upsert(table, session.get_bind().dialect.name, ["url_hash"]), rows)


def _rows(session: Session, urls: list[str]) -> dict[str, CheckedLink]:
    found: dict[str, CheckedLink] = {}
    hashes = [_hash(url) for url in urls]
    for start in range(0, len(hashes), 500):  # a statement holds only so many values
        query = select(CheckedLink).where(col(CheckedLink.url_hash).in_(hashes[start : start + 500]))
        found |= {row.url_hash: row for row in session.exec(query)}
    return found


def _result(url: str, row: CheckedLink | None, now: datetime) -> LinkResult:
    if row is None:
        return LinkResult(url, Verdict.NOT_CHECKED, "never")
    verdict = Verdict(row.verdict)
    if now - row.checked_at > _KEPT.get(verdict, _KEPT_ELSE):
        return LinkResult(url, Verdict.NOT_CHECKED, "long-ago", row.checked_at)
    return LinkResult(url, verdict, row.detail, row.checked_at)


def _hash(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
