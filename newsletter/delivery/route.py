"""Ways out: the servers that mail can be handed to, and how rows are shared among them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from newsletter.delivery.connection import Connection

_PAUSES = (0.5, 1, 2, 4, 8, 15, 30, 60)
"""Waits before a connection is tried again, in seconds; the last one repeats."""
_TRIES = 5
"""After so many a server is given up by whoever cannot wait."""
_AHEAD = 2.0
"""How far a server may be ahead of its share, in rows for each connection: enough to keep all of them busy."""


@dataclass(slots=True)
class Route:
    """A server, and how much of it may be used; None is no limit.

    `connections` is how many this process may open, `connections_in_all` how many all processes together; of the
    messages it gets a share by `weight` among the servers that are there.
    """

    name: str
    connect: Callable[[], Awaitable[Connection]]
    connections: int
    connections_in_all: int | None = None
    weight: float = 1
    messages_per_second: float | None = None
    messages_per_connection: int | None = None
    workers: int = 1

    @property
    def allowed(self) -> int:
        """How many connections this process may have open now."""
        if self.connections_in_all is None:
            return self.connections
        return max(min(self.connections, self.connections_in_all // self.workers), 1)

    @staticmethod
    def pause_seconds(faults: int) -> float:
        """How long to wait before the next try after so many faults, at least one."""
        return _PAUSES[min(faults, len(_PAUSES)) - 1]

    @staticmethod
    def is_given_up(faults: int) -> bool:
        """Whether a server that could not be reached again, after so many faults before, counts as gone."""
        return faults >= _TRIES - 1


def share(servers: Sequence[tuple[Route, int, int]]) -> dict[str, int]:
    """How many rows each server may get now: what it has room for, but not much more than its weight's share.

    For each server its room and how many messages it has had. A server that is slow holds the others back: weights are
    for those who want the proportion, and one server alone is never held back.
    """
    if len(servers) == 1:
        return {route.name: room for route, room, _ in servers}
    least = min((had / route.weight for route, _, had in servers), default=0)
    return {
        route.name: min(room, max(int((least + _AHEAD * route.allowed / route.weight) * route.weight - had), 0))
        for route, room, had in servers
    }
