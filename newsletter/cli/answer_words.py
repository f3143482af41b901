"""What a reader got on a day and why, in English and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.cli.output import numbered
from newsletter.delivery.outcome import Reason, State
from newsletter.editorial.answers import Absent, Answer, Began, Part
from newsletter.editorial.arrival import Arrival, Hour, Late
from newsletter.editorial.log_entry import Line, Told
from newsletter.editorial.silence import Silence, Silent, What

WEEK_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BEGAN = {
    Began.SLOT: "by itself",
    Began.TIME: "at a time set for it",
    Began.HAND: "by hand",
}
_STATES = {
    State.ACCEPTED: "sent {at}",
    State.DEFERRED: "put off by the mail server; the next try is {at}",
    State.IN_HAND: "being handed over now",
    State.FAILED: "failed {at}: {reply}",
    State.UNKNOWN: "unknown since {at}: the server may or may not have it",
}
_HOURS = {
    Hour.OWN: "their own hour",
    Hour.WITHIN: "at the release, which fell into their own hour",
    Hour.CAPPED: "a day after the release, the longest anybody waits for their own hour",
    Hour.NONE: "at the release; they chose no hour",
    Hour.AT_ONCE: "sent to everybody at once",
    Hour.AGAIN: "somebody had it sent again",
    Hour.THEN: "as they had chosen by then; their hour is another now",
}
_LATE = {
    Late.DEFERRED: "the mail server put it off",
    Late.PAUSED: "the send was paused",
    Late.BUSY: "many were due at once, and others went first",
    Late.DOWN: "no sender was running, or the mail server was away",
}
_REASONS: dict[str, str] = {
    Reason.NO_MATCH: "it had nothing of theirs",
    Reason.PAUSED: "they were paused",
    Reason.WEEKLY: "they read once a week",
    Reason.NOT_IMPORTANT: "nothing of their topics was marked as important",
    Reason.TOO_LATE: "it waited too long with no sender running, and was left out",
    Reason.SUPPRESSED: "the address is suppressed",
    Reason.ALREADY_HAD: "they had all of it before",
    Reason.UNSUBSCRIBED: "they had unsubscribed before it was their turn",
    Reason.CANCELLED: "the send was cancelled",
}
_ABSENT: dict[str, str] = {
    Absent.JOINED: "they joined later",
    Absent.UNCONFIRMED: "they had not confirmed",
    Absent.UNSUBSCRIBED: "they had unsubscribed",
    Absent.PLANNING: "the readers are being listed; ask again in a moment",
    Absent.CANCELLED: "the send was cancelled before the readers were listed",
    Absent.NOT_WEEKLY: "a digest, and they read nothing once a week",
    Absent.OTHER_DAY: "a digest for readers of another day",
    Absent.UNLISTED: "they were no candidate, and the record does not tell why",
}
_SINCE: dict[str, str] = {
    Absent.JOINED: " ({at})",
    Absent.UNCONFIRMED: " (they did {at})",
    Absent.UNSUBSCRIBED: " ({at})",
}
_SILENCES = {
    Silence.TO_COME: "{what} is to come {at}",
    Silence.APPROVED: "{what} has not come: it is approved, and nothing sends it by itself",
    Silence.JOINED: "nothing: they joined only later, on {at}",
    Silence.UNRECORDED: "{what}: nothing is recorded for that day",
    Silence.WAITS: "{what} of {at} has not gone out yet; until {until} it still may",
    Silence.OFF: "no issue: a day off, as the schedule is now",
    Silence.NO_DAY: "no issue: none of the days of the slot, as it is now",
    Silence.NO_SLOT: "{what} has not gone out: there is no daily slot, and nobody sent it",
    Silence.OWN_TIME: "no issue: the one of this day has a time of its own",
    Silence.SKIPPED: "{what} of {at} was skipped: nothing was approved in time",
    Silence.MISSED: "{what} of {at} was missed: no sender was running until it was too late",
    Silence.REFUSED: "{what} of {at} could not be sent as it was",
    Silence.CALLED_OFF: "{what} of {at} was called off, or the slot was moved",
}
_MISSED = {
    "topic": "in none of their topics",
    "muted": "they mute “{detail}”",
    "had": "had it already, in {detail}",
    "weekly": "a topic that comes once a week",
    "daily": "a topic that comes daily",
    "unimportant": "not marked as important",
    "most": "beyond their limit of {detail} stories a mail",
    "changed": "their choices have changed since",
}


@dataclass(frozen=True, slots=True)
class Sayer:
    """Says answers; moments are in the newsletter's `zone`."""

    zone: tzinfo

    def lines(self, address: str, answer: Answer) -> Iterator[str]:
        """The whole answer, line by line."""
        yield f"{address} on {WEEK_DAYS[answer.day.weekday()]}, {answer.day} ({self.zone})"
        for part in answer.parts:
            yield from self._part(part, answer)
        for silent in answer.silent:
            yield from ("", self._silent(silent, answer))
            if silent.note:
                yield f"  The staff were told: {silent.note}"
        if answer.earlier:
            yield from ("", "Of earlier days, on this day:")
            for part in answer.earlier:
                yield from self._part(part, answer)
        if answer.changed_at:
            yield from (
                "",
                f"They changed their choices {self._at(answer.changed_at)}; hours are told by those of now.",
            )

    def outcome(self, part: Part, answer: Answer) -> str:
        """What came of a part, and why then."""
        if part.arrival is None:
            return f"nothing: {self._why(part, answer)}"
        said = [self._state(part, part.arrival), *self._hour(part.arrival)]
        return "; ".join(said)

    def _part(self, part: Part, answer: Answer) -> Iterator[str]:
        yield from ("", f"{part.slug}  {part.title}")
        yield f"  released {self._at(part.release)}, {_BEGAN[part.began]}"
        yield f"  {self.outcome(part, answer)}"
        if part.subject and part.arrival:
            yield f"  subject: {part.subject}"
        if part.told:
            yield from _stories(part.told)

    def _state(self, part: Part, arrival: Arrival) -> str:
        if part.state == State.QUEUED:
            return f"waits until {self._at(arrival.at)}" if arrival.at else "due now; it waits for a sender"
        reply = part.told.entry.reply if part.told else ""
        return _STATES[State(part.state)].format(at=self._at(arrival.at), reply=reply or part.reason)

    def _hour(self, arrival: Arrival) -> Iterator[str]:
        local = ""
        if arrival.zone and arrival.hour in (Hour.OWN, Hour.WITHIN, Hour.CAPPED):
            local = f" ({arrival.due.astimezone(ZoneInfo(arrival.zone)):%H:%M} in {arrival.zone})"
        yield f"due {self._at(arrival.due)}{local}: {_HOURS[arrival.hour]}"
        if arrival.late:
            yield f"late: {_LATE[arrival.late]}"

    def _why(self, part: Part, answer: Answer) -> str:
        said = _REASONS.get(part.reason, part.reason) if part.state else _ABSENT[part.reason]
        if part.since and not part.state:
            said += _SINCE.get(part.reason, "").format(at=self._at(part.since))
        elif part.since and part.reason in (Reason.UNSUBSCRIBED, Reason.CANCELLED):
            said += f" ({self._at(part.since)})"
        if part.digest_on and answer.weekly_day is not None:
            said += f"; their digest comes on {WEEK_DAYS[answer.weekly_day]}, next {part.digest_on}"
        return said

    def _silent(self, silent: Silent, answer: Answer) -> str:
        what = silent.slug or ("the digest" if silent.what is What.DIGEST else "the issue")
        said = _SILENCES[silent.why].format(what=what, at=self._at(silent.at), until=self._at(silent.until))
        if silent.what is What.DIGEST and silent.why is Silence.SKIPPED:
            said = "there was nothing for a digest"
        if silent.why is Silence.TO_COME and answer.expected_at and answer.expected_at != silent.at:
            said += f", and to them {self._at(answer.expected_at)}, their own hour"
        return said[0].upper() + said[1:]

    def _at(self, at: datetime | None) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}" if at else "–"


def as_json(address: str, answer: Answer) -> dict[str, Any]:
    """The answer for programs."""
    return {
        "address": address,
        "day": answer.day,
        "parts": [_part_as_json(part) for part in answer.parts],
        "earlier": [_part_as_json(part) for part in answer.earlier],
        "silent": [
            {"what": one.what, "why": one.why, "at": one.at, "until": one.until, "issue": one.slug, "note": one.note}
            for one in answer.silent
        ],
        "expected_at": answer.expected_at,
        "changed_at": answer.changed_at,
    }


def _stories(told: Told) -> Iterator[str]:
    if told.got:
        yield f"  {numbered(len(told.got), 'story', 'stories')}:"
    yield from (f"    - {line.title} ({_because(line)})" for line in told.got)
    if told.missed:
        yield "  left out:"
    yield from (f"    - {line.title} ({_MISSED[line.why].format(detail=line.detail)})" for line in told.missed)


def _because(line: Line) -> str:
    if line.why == "topic":
        return f"topic {line.detail}"
    return f"follows “{line.detail}”" if line.detail else "a keyword they followed then"


def _part_as_json(part: Part) -> dict[str, Any]:
    told, arrival = part.told, part.arrival
    return {
        "issue": part.slug,
        "title": part.title,
        "digest": part.is_digest,
        "release": part.release,
        "began": part.began,
        "state": part.state or "none",
        "reason": part.reason,
        "since": part.since,
        "digest_on": part.digest_on,
        "due": arrival and arrival.due,
        "at": arrival and arrival.at,
        "hour": arrival and arrival.hour,
        "own_hour": arrival and arrival.own_hour,
        "own_zone": arrival and arrival.zone,
        "late": arrival and arrival.late,
        "subject": part.subject,
        "stories": [{"title": one.title, "why": one.why, "detail": one.detail} for one in (told.got if told else ())],
        "left_out": [
            {"title": one.title, "why": one.why, "detail": one.detail} for one in (told.missed if told else ())
        ],
        "delivery": part.delivery_id,
    }
