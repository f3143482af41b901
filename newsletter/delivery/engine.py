"""The work engine: jobs, schedules and the recovery of dead workers, by DBOS Transact. The one place that knows it.

A job is a part of a mailing, or all letters that are due. The rows in it are claimed one by one, so a job that is done
twice does no harm. Every few seconds the engine makes a round, on one of the workers: it looks for what has become due
and enqueues jobs for it.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, WorkflowStatus

from newsletter.delivery.claims import Range

_NAME = "newsletter"
_VERSION = "2"
"""Jobs of another version are never done; raised only when a job's arguments change their meaning.

What another version left is cancelled, and a round makes its own jobs instead: these have the version in their names.
"""
_QUEUE = "deliveries"
_POST = "letters"
"""A queue of its own: somebody looks into their mailbox for a letter, and a mailing may take hours."""
_PLANS = "plans"
"""A queue of its own: a part whose domain takes little keeps its place for hours, and a plan may not wait for that.

One at a time: what two mailings share for a reader, the second to be planned leaves out.
"""
_JOBS_AT_ONCE = 3
"""Parts one worker has at once: the next is at work before the last connection of the one before is done."""
_PLACES = {_QUEUE: _JOBS_AT_ONCE, _PLANS: 1, _POST: 1}
_POLL_SECONDS = 1.0
_ROUND = "*/3 * * * * *"
"""When rounds are made, as cron with seconds first: every three.

Not more often, and no shorter poll: on SQLite every look of the engine holds the sender up for a moment.
"""
_END_SECONDS = 10
"""How long a stopping worker waits for its jobs to write down that they ended; they end within a second."""
_KEEP = timedelta(hours=1)
"""How long the engine's own records of rounds and jobs are kept; what became of the mail stands in our rows."""
_CLEAN = "0 17 * * * *"
_DELETED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Due:
    """What there is to do: mailings whose rows are not all written, parts of mailings with something due, letters.

    A part is the same whenever it is named, so that no two jobs are made of it.
    """

    unplanned: Sequence[int]
    parts: Sequence[Range]
    letters: bool = False


class Work(Protocol):
    """What the engine is for."""

    def make_round(self) -> "Due":
        """Do what is due by the clock, and say what there is to do; on one worker at a time, every three seconds."""

    def plan(self, mailing_id: int) -> None:
        """Write the rows of a mailing that are missing."""

    def send(self, part: Range) -> None:
        """Hand over what is due of a part; returns when nothing is, or when this process stops."""

    def deliver_letters(self) -> None:
        """Hand over the letters that are due; returns when none is, or when this process stops."""

    def purge(self) -> None:
        """Delete what was kept for a while only; on one worker at a time, every hour."""

    def living(self, workers: Sequence[str]) -> Sequence[str]:
        """Those of these workers that are not dead."""


class Engine:
    """One worker of the engine, for the length of a `with` block; there can be one in a process.

    `database_url` is SQLAlchemy's; the database has its file, and on SQLite its journal mode, already. `worker` names
    this process: on SQLite always the same, so that what it left behind is its own; on PostgreSQL never the same again.
    """

    def __init__(self, database_url: str, worker: str, work: Work) -> None:
        self._worker = worker
        self._work = work
        config: DBOSConfig = {
            "name": _NAME,
            "system_database_url": database_url,
            "application_version": _VERSION,
            "executor_id": worker,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
        }
        DBOS(config=config)
        self._send = _workflow("send part", self._run_send)
        self._plan = _workflow("plan mailing", self._run_plan)
        self._letters = _workflow("deliver letters", self._run_letters)
        self._round = _workflow("make round", self._run_round)
        self._clean = _workflow("clean up", self._run_clean)

    def __enter__(self) -> "Engine":
        """Begin to work: take up what was left behind, and make a first round at once."""
        with ExitStack() as half_made:
            half_made.callback(self.__exit__)  # else the next one of this process would find it
            self._launch()
            half_made.pop_all()
        return self

    def _launch(self) -> None:
        DBOS.launch()
        self._cancel_foreign()
        for queue, at_once in _PLACES.items():
            DBOS.register_queue(
                queue, worker_concurrency=at_once, polling_interval_sec=_POLL_SECONDS, on_conflict="always_update"
            )
        DBOS.apply_schedules(
            [
                {"schedule_name": "round", "workflow_fn": self._round, "schedule": _ROUND, "context": None},
                {"schedule_name": "clean", "workflow_fn": self._clean, "schedule": _CLEAN, "context": None},
            ]
        )
        DBOS.start_workflow(self._round, datetime.now(UTC), None)

    def __exit__(self, *_: object) -> None:
        """Stop working; jobs that are running go on elsewhere, or here the next time."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=_END_SECONDS)

    def _run_send(self, mailing_id: int, first: int, last: int, wave: str) -> None:
        part = Range(mailing_id, first, last, datetime.fromisoformat(wave) if wave else None)
        DBOS.run_step({"name": "send"}, self._work.send, part)

    def _run_plan(self, mailing_id: int) -> None:
        DBOS.run_step({"name": "plan"}, self._work.plan, mailing_id)

    def _run_letters(self) -> None:
        DBOS.run_step({"name": "letters"}, self._work.deliver_letters)

    def _run_round(self, _at: datetime, _context: Any) -> None:
        jobs = {"plan": (_PLANS, self._plan), "send": (_QUEUE, self._send), "letters": (_POST, self._letters)}
        for name, *arguments in DBOS.run_step({"name": "round"}, self._what_is_due):
            queue, job = jobs[name.partition(" ")[0]]
            _enqueue(queue, name, job, *arguments)

    def _run_clean(self, _at: datetime, _context: Any) -> None:
        DBOS.run_step({"name": "clean"}, _delete_old)
        DBOS.run_step({"name": "purge"}, self._work.purge)
        DBOS.run_step({"name": "cancel"}, self._cancel_foreign)

    def _what_is_due(self) -> list[tuple[Any, ...]]:
        """The jobs to make, each a name that is its own and its arguments, as the engine can keep them."""
        self._recover()
        due = self._work.make_round()
        plans = [(f"plan {mailing_id}", mailing_id) for mailing_id in due.unplanned]
        letters: list[tuple[Any, ...]] = [("letters",)] if due.letters else []
        return [*letters, *plans, *map(_sending, due.parts)]

    def _recover(self) -> None:
        """Give the jobs of dead workers to the living."""
        left = self._left_behind("PENDING")
        _cancel([job for job in left if _is_foreign(job)])
        for queue in _PLACES:
            if jobs := [job.workflow_id for job in left if not _is_foreign(job) and _queue_of(job) == queue]:
                DBOS.resume_workflows(jobs, queue_name=queue)

    def _cancel_foreign(self) -> None:
        """Cancel what dead workers of another version left: nobody might ever do it."""
        _cancel([job for job in self._left_behind("PENDING", "ENQUEUED") if _is_foreign(job)])

    def _left_behind(self, *states: str) -> list[WorkflowStatus]:
        """Jobs in these states of dead workers, and of another version's that had this one's name, as on SQLite."""
        jobs = DBOS.list_workflows(status=list(states), load_input=False, load_output=False)
        owners = {str(job.executor_id) for job in jobs} - {self._worker}
        living = set(self._work.living(sorted(owners))) if owners else set()
        dead = owners - living
        return [
            job
            for job in jobs
            if str(job.executor_id) in dead or (job.executor_id == self._worker and _is_foreign(job))
        ]


def _sending(part: Range) -> tuple[Any, ...]:
    """The job of a part, named alike whenever there is one to be made of it."""
    wave = part.wave.isoformat() if part.wave else ""
    return f"send {part.mailing_id} {wave} {part.first}", part.mailing_id, part.first, part.last, wave


def _workflow(name: str, method: Callable[..., None]) -> Callable[..., None]:
    """Make a method known to the engine, which wants functions that it can write on."""

    def workflow(*arguments: object) -> None:
        method(*arguments)

    made: Callable[..., None] = DBOS.workflow(name=name)(workflow)
    return made


def _enqueue(queue: str, name: str, job: Any, *arguments: int | str) -> None:
    """Enqueue a job unless the same one waits or runs already."""
    # not by a refusal: a recovered round would repeat it as an error of another class
    with SetEnqueueOptions(deduplication_id=f"{_VERSION} {name}", duplication_policy="return-existing"):
        DBOS.enqueue_workflow(queue, job, *arguments)


def _is_foreign(job: WorkflowStatus) -> bool:
    """Whether a job is of another version."""
    return job.app_version not in (None, _VERSION)


def _queue_of(job: WorkflowStatus) -> str:
    return job.queue_name if job.queue_name in _PLACES else _QUEUE


def _cancel(jobs: Sequence[WorkflowStatus]) -> None:
    if jobs:
        DBOS.cancel_workflows([job.workflow_id for job in jobs])


def _delete_old() -> None:
    before = (datetime.now(UTC) - _KEEP).isoformat()
    while old := DBOS.list_workflows(
        end_time=before,
        status=["SUCCESS", "ERROR", "CANCELLED"],
        limit=_DELETED_AT_ONCE,
        load_input=False,
        load_output=False,
    ):
        DBOS.delete_workflows([job.workflow_id for job in old])
