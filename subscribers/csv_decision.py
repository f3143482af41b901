"""How a person stands after a line of a reader list: the rules of an import, without a database."""

from dataclasses import dataclass, replace

from subscribers.csv_cells import ReaderRow
from subscribers.csv_report import Outcome, Why
from subscribers.models import State
from subscribers.preferences import Preferences, PreferencesRefused, check_preferences, of_topics

_STRICTNESS = {state: rank for rank, state in enumerate(State)}


@dataclass(frozen=True, slots=True)
class Standing:
    """A person as an import sees them; `id` is None until they are stored."""

    id: int | None
    name: str
    state: State
    preferences: Preferences


def decide(
    before: Standing | None, row: ReaderRow, *, suppressed: bool, least: State, zone: str | None = None
) -> tuple[Standing | None, Outcome, Why | None]:
    """Say how a person stands after a line, what that is called, and why if they were kept or the line refused.

    The strictest state wins: the line's, the import's (`least`), or the person's own. Nobody unsubscribed or
    suppressed is brought back; of the suppressed nothing changes but that they can be unsubscribed. An empty cell
    leaves what is known. An hour of somebody without a zone is one of `zone`.
    """
    asked = least if row.state is None else stricter(least, row.state)
    if suppressed:
        if before and asked is State.UNSUBSCRIBED is not before.state:
            return replace(before, state=asked), Outcome.UPDATED, None
        return before, Outcome.KEPT, Why("suppressed", "suppressed: not written to, and not changed by an import")
    if before and before.state is State.UNSUBSCRIBED and asked is not State.UNSUBSCRIBED:
        return before, Outcome.KEPT, Why("unsubscribed", "has unsubscribed: an import brings nobody back")
    known = before or Standing(None, "", asked, Preferences(topics=()))
    try:
        preferences = _changed(known.preferences, row, zone)
    except PreferencesRefused as refused:
        return before, Outcome.REFUSED, Why(refused.code, str(refused), refused.value)
    after = replace(known, name=row.name or known.name, state=stricter(known.state, asked), preferences=preferences)
    if before is None:
        return after, Outcome.ADDED, None
    return after, Outcome.UNCHANGED if after == before else Outcome.UPDATED, None


def _changed(known: Preferences, row: ReaderRow, zone: str | None) -> Preferences:
    """The choices after a line; what it says of topics that are not chosen is refused, what was known of them goes."""
    wished = replace(known, **row.changes)
    if wished.hour is not None and wished.zone is None:
        wished = replace(wished, zone=zone)
    if "frequencies" in row.changes:
        check_preferences(wished)
    return check_preferences(replace(wished, frequencies=of_topics(wished.frequencies, wished.topics)))


def stricter(one: State, other: State) -> State:
    """Choose the one of two states under which less is sent."""
    return max(one, other, key=_STRICTNESS.__getitem__)
