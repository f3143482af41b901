"""How a person stood at some moment of the past, told by the record of what was said."""

from collections.abc import Sequence
from datetime import datetime

from subscribers.models import Consent, State

_ADDED = ("import", "command", "staff", "confirm", "return")
"""What says in its detail how somebody stands from then on."""
_SAID = {"unsubscribe": State.UNSUBSCRIBED, "forget": State.UNSUBSCRIBED, "pause": State.PAUSED, "resume": State.ACTIVE}


def stood(consents: Sequence[Consent], at: datetime) -> tuple[State | None, datetime | None]:
    """The state of a person at a moment and since when; None for somebody of whom nothing was known yet.

    `consents` are all rows about that person, the oldest first (see `Consent`).
    """
    state: State | None = None
    since: datetime | None = None
    for said in consents:
        if said.at > at:
            continue
        now = _stands(said)
        if now is None and said.kind == "sign-up" and state is None:
            now = State.PENDING
        if now is not None and now is not state:
            state, since = now, said.at
    return state, since


def became_active(consents: Sequence[Consent], after: datetime) -> datetime | None:
    """When a person was first to be written to after a moment, or None."""
    return next((said.at for said in consents if said.at > after and _stands(said) is State.ACTIVE), None)


def _stands(said: Consent) -> State | None:
    if said.kind in _ADDED:
        return State(said.detail) if said.detail in set(State) else None
    return _SAID.get(said.kind)
