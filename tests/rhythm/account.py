"""The account of a month: what the newsletter did, compared with what the rules ask for, reader by reader."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rhythm.machine import Machine
from rhythm.rules import Row, Rules
from rhythm.script import ZONE, Month

_KINDS = {
    "own": "on time: in their own hour",
    "in hour": "on time: at the release, which lay in their hour",
    "slot": "on time: at the release, no hour chosen",
    "jumped": "on time: when the clock had jumped over their hour",
    "day": "on time: a day after the release",
    "moved": "at once: they had moved past their hour",
    "outage": "after an outage",
}
_MOST_FAULTS = 20
_SECONDS, _A_MINUTE = timedelta(seconds=5), timedelta(minutes=1)


@dataclass
class Account:
    """How many readers each send reached, and how; `faults` says in words what the rules do not allow."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: {"issues": Counter(), "digests": Counter()})
    days: Counter[str] = field(default_factory=Counter)
    sends: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    outside: int = 0
    other: int = 0
    unknown: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, what: str) -> None:
        """Remember what was wrong."""
        self.faults.append(what)

    @property
    def is_clean(self) -> bool:
        """Whether all was as it should be."""
        return not (self.lost or self.doubled or self.outside or self.other or self.faults)

    def lines(self) -> list[tuple[str, int, int]]:
        """The table: what, of how many readers of issues, of digests."""
        issues, digests = self.counts["issues"], self.counts["digests"]
        names = [*(name for name in _KINDS.values()), *sorted({*issues, *digests} - set(_KINDS.values()))]
        found = [(name, issues[name], digests[name]) for name in names]
        return [("candidates", issues.total(), digests.total()), *(line for line in found if line[1] or line[2])]

    def __str__(self) -> str:
        """The account in words, for a terminal and for the page."""
        lines = [f"| {'':50} | issues | digests |", f"| {'---':50} | ---: | ---: |"]
        lines.append(f"| {'mailings':50} | {self.sends['issues']} | {self.sends['digests']} |")
        lines += [f"| {name:50} | {issues:,} | {digests:,} |" for name, issues, digests in self.lines()]
        wrong = f"lost {self.lost}, doubled {self.doubled}, outside their hour {self.outside}, otherwise {self.other}"
        slots = ", ".join(f"{name} {count}" for name, count in sorted(self.days.items()))
        return "\n".join([*lines, "", f"Days: {slots}.", f"Against the rules: {wrong}.", *self.faults[:_MOST_FAULTS]])


def judge(month: Month, machine: Machine, *, by_seconds: bool = False) -> Account:
    """Compare what was done with the rules.

    `by_seconds`, time went on while it was done: what came is looked for within a minute of its time, by the rows.
    """
    rules, account = Rules(month), Account()
    _judge_days(rules, machine, account)
    tells = {one.text: one.tells for day in month.days for one in day.news}
    mailings = machine.mailings()
    names = {mailing.id: name for mailing, name, _ in mailings}
    stories = {mailing.id: {story: tells[text] for story, text in texts.items()} for mailing, _, texts in mailings}
    keys = {name: mailing.key for mailing, name, _ in mailings}
    if unlike := {send.name for send in rules.sends} ^ set(keys):
        account.fault(f"sent or not, against the rules: {sorted(unlike)}")
    for send in rules.sends:
        account.sends["digests" if send.days else "issues"] += 1
    done: dict[str, dict[str, _Done]] = defaultdict(dict)
    for address, mailing_id, state, reason, due, edition, settled_at in machine.deliveries():
        told = frozenset(stories[mailing_id][story] for _, group in edition for story in group)
        done[address][names[mailing_id]] = _Done(state, reason, due, told, settled_at)
    for reader in month.readers:
        rows, found = rules.rows_of(reader), done.get(reader.address, {})
        if unlike := {row.send.name for row in rows} ^ found.keys():
            account.fault(f"{reader.address} is a candidate, or none, against the rules: {sorted(unlike)}")
        for row in rows:
            if row.send.name in found and row.send.name in keys:
                got = machine.received.pop((keys[row.send.name], reader.address), [])
                there = found[row.send.name]
                if by_seconds:
                    got = _by_rows(row, there, got)
                _judge_row(account, reader.address, row, there, got)
    if machine.received:
        account.other += len(machine.received)
        account.fault(f"got what they are no candidates of: {list(machine.received)[:5]}")
    return account


@dataclass(frozen=True)
class _Done:
    """A row of the newsletter's, with what its stories tell."""

    state: str
    reason: str | None
    due: datetime
    stories: frozenset[str]
    settled_at: datetime | None


def _judge_row(account: Account, address: str, row: Row, done: _Done, got: Sequence[datetime]) -> None:
    where = f"{address}, {row.send.name}, due {row.due}"
    expected = [row.handed] if row.handed else []
    if len(got) > 1:
        account.doubled += 1
        account.fault(f"{where}: got {_times(got)}")
    elif expected and not got and done.state != "unknown":
        account.lost += 1
        account.fault(f"{where}: never came; it was to come {row.handed}; {done}")
    elif (got and got != expected) or (got and not _is_in_hour(row, got[0])):
        account.outside += 1
        account.fault(f"{where}: got {_times(got)}, not {_times(expected)} {row.reason}; {done}")
    elif not _is_as_ruled(row, done):
        account.other += 1
        account.fault(f"{where}: {done}, not {row.reason or sorted(row.stories)}")
    else:
        account.unknown += done.state == "unknown"
        counts = account.counts["digests" if row.send.days else "issues"]
        counts[_KINDS[_how(row)] if row.handed else f"nothing: {row.reason}"] += 1


def _is_as_ruled(row: Row, done: _Done) -> bool:
    """Whether the newsletter's row says what the rules do."""
    if not row.handed:
        return (done.state, done.reason) == ("excluded", row.reason)
    is_its_due = abs(done.due - row.due) <= (_SECONDS if row.how == "moved" else timedelta(0))
    return is_its_due and done.stories == row.stories and done.state in ("accepted", "unknown")


def _by_rows(row: Row, done: _Done, got: Sequence[datetime]) -> list[datetime]:
    """When what was received came, by the rows: as ruled where that was within a minute."""
    came = done.settled_at or row.due
    is_on_time = row.due - _SECONDS <= came <= row.due + _A_MINUTE
    return [row.handed if row.handed and is_on_time else came for _ in got]


def _times(moments: Sequence[datetime]) -> str:
    return ", ".join(map(str, moments)) or "nothing"


def _how(row: Row) -> str:
    """In which way a row came that was handed over."""
    return "outage" if row.is_after_outage else row.how


def _is_in_hour(row: Row, at: datetime) -> bool:
    """Whether the reader's own clock showed their hour, as far as it was to be heeded: this looks at no rule."""
    if _how(row) not in ("own", "in hour", "jumped") or row.zone is None or row.hour is None:
        return True
    return at.astimezone(ZoneInfo(row.zone)).hour == (row.hour + (row.how == "jumped")) % 24


def _judge_days(rules: Rules, machine: Machine, account: Account) -> None:
    """Whether each slot and each digest became what it should."""
    found: dict[bool, dict[str, str]] = {False: {}, True: {}}
    for one in machine.appointments():
        on = str(one.at.astimezone(ZONE).date())
        if one.issue_id is None and one.at >= rules.begin:
            found[one.is_digest][on] = one.state
    for what, expected in ((False, rules.slots), (True, rules.digests)):
        words = {str(on): state for on, state in expected.items()}
        if words != found[what]:
            account.fault(f"{'digests' if what else 'slots'}: {set(words.items()) ^ set(found[what].items())}")
        account.days += Counter(f"{'digest' if what else 'slot'} {state}" for state in words.values())
