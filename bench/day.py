"""``./hotline bench day``: a city's day of 30,000 calls, as fast as it goes, through the bridge.

Asterisk's messages go through reader, reducer, routing and live centre into the wall's figures,
with fakes for Redis and PostgreSQL behind. Two days in a row: what the process weighs after the
second must be what it weighed after the first. Afterwards the wall's figures are compared with
those counted offline from the log of notes, and both with what really happened; a difference stops
the bench.

The reference comes to the same figures of the same day afterwards: plain Python reads the finished
log and counts, and knows nothing of our code for figures. So the ratio tells what it costs to have
them while the day goes on: each message understood, each call led to an agent, each desk's view
kept. (A loop that only splits messages, once the reference here, comes to no figures at all.)
"""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import msgspec
from redis.asyncio import Redis

from bench.harness import BenchResult, LoadWatch, interleave_async, machine, medians
from bench.made_day import IN_TIME_S, SHORT_S, MadeDay, Told, Truth
from bench.memory import NoRedis, until_written, weight_mb
from insight.facts import CallFact, Interval, Step
from insight.figures import count
from server.live.centre import Centre
from server.live.journal import Journal
from server.live.notes import KeepCall, KeepMove, Note
from server.live.scribe import Scribe
from server.live.wall_figures import SETTLE, WallFigures, call_of, step_of
from server.logging_setup import configure_logging
from server.push.protocol import WallFigures as Window
from server.roles.bridge_parts import build_centre
from server.settings_loader import load_settings
from telephony.follower import Follower
from telephony.switch import Switch
from telephony.wire import MessageReader
from tests.fakes.drafts import no_draft
from tests.fakes.records import FakeRecords
from tests.fakes.switch import FakeSwitch

CALLS = 30_000
AGENTS = 320
SHORT_CALLS = 1_500
"""Of the runs that take turns."""
LOOK_EVERY = timedelta(minutes=1)
"""Of the day's own time."""
BEGIN_AT = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
"""Midnight in China."""
LEAST_SHARE = 0.005
"""Of the calls a second that are counted from the finished log."""
LEAST_FLAT = 0.95
FIGURES = ("offered", "answered", "in_time", "abandoned", "abandoned_short")


def run(runs: int) -> BenchResult:
    configure_logging("bench", "error")
    load = LoadWatch()
    made = MadeDay(BEGIN_AT, SHORT_CALLS, AGENTS)
    short = list(made.events())
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        measured = asyncio.run(
            interleave_async(
                {
                    "ours": lambda: _rate(_play(short, keep_log=log)),
                    "reducer": lambda: _rate(_reduce(short)),
                    "offline": lambda: _rate(_tally(log, made.truth)),
                },
                runs=runs,
            )
        )
    middle = medians(measured)
    day = asyncio.run(_two_days())
    return BenchResult(
        name="day",
        unit="calls/s; MB",
        ours={"calls": round(middle["ours"]), "weight after two days": day.after_mb},
        reference={
            "calls/offline from the log": round(middle["offline"]),
            "weight after one day": day.before_mb,
        },
        ratio={
            "calls/offline from the log": round(middle["ours"] / middle["offline"], 4),
            "flat": round(day.before_mb / day.after_mb, 3),
        },
        aim={"calls/offline from the log": LEAST_SHARE, "flat": LEAST_FLAT},
        runs=len(measured["ours"]),
        machine=machine(),
        load=load.done(),
        notes=(
            f"{CALLS} calls a day, {AGENTS} agents; a day took {day.seconds:.0f} s",
            f"reader and reducer alone: {middle['reducer']:.0f} calls/s",
            "wall = offline from the log = what happened: "
            + ", ".join(f"{name} {value}" for name, value in day.same.items()),
        ),
    )


async def _rate(work: Awaitable[None]) -> float:
    began_s = time.perf_counter()
    await work
    return SHORT_CALLS / (time.perf_counter() - began_s)


async def _tally(log: Path, truth: Truth) -> None:
    """What a script would do with the finished log; raises where its figures are not the truth."""
    calls: dict[str, dict[str, str | None]] = {}
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            kind, fact = json.loads(line)
            if kind == "CallFact":
                known = calls.setdefault(fact["call"], {})
                known.update({name: value for name, value in fact.items() if value is not None})
    found = dict.fromkeys(FIGURES, 0)
    for call in calls.values():
        if (queued := call.get("queued_at")) is None:
            continue
        found["offered"] += 1
        answered, ended = call.get("answered_at"), call.get("ended_at")
        if answered is not None:
            found["answered"] += 1
            found["in_time"] += _between(queued, answered) <= timedelta(seconds=IN_TIME_S)
        elif ended is not None and call.get("outcome") == "abandoned":
            found["abandoned"] += 1
            found["abandoned_short"] += _between(queued, ended) <= timedelta(seconds=SHORT_S)
    _must_be(found, _happened(truth), "what a script counts")


def _between(start: str, end: str) -> timedelta:
    return datetime.fromisoformat(end) - datetime.fromisoformat(start)


async def _reduce(told: Iterable[Told]) -> None:
    follower, reader = Follower(), MessageReader()
    for each in told:
        if isinstance(each.what, bytes):
            for message in reader.feed(each.what):
                follower.apply(message)


async def _play(told: Iterable[Told], *, keep_log: Path) -> None:
    async with _bridge() as bridge:
        await bridge.take(told)
        bridge.log.replace(keep_log)


@dataclass
class _Bridge:
    """The bridge's inside, at the day's own time."""

    centre: Centre
    scribe: Scribe
    figures: WallFigures
    clock: "_Clock"
    log: Path

    async def take(self, told: Iterable[Told]) -> None:
        follower, reader = Follower(), MessageReader()
        look_at = self.clock.at
        for number, each in enumerate(told):
            self.clock.at = each.at
            if isinstance(each.what, bytes):
                for message in reader.feed(each.what):
                    for event in follower.apply(message):
                        await self.centre.on_telephony(event)
            else:
                await self.centre.on_command(each.what)
            if each.at >= look_at:
                self.figures.now()
                look_at = each.at + LOOK_EVERY
            if number % 200 == 0:
                await until_written(self.scribe)
        await until_written(self.scribe)


@dataclass
class _Clock:
    at: datetime = BEGIN_AT

    def now(self) -> datetime:
        return self.at


class _Log(FakeRecords):
    """The event log as a file: what PostgreSQL would hold."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("wb", buffering=0)

    async def _take(self, note: Note) -> None:
        if isinstance(note, KeepCall):
            self._write(call_of(note.facts))
        elif isinstance(note, KeepMove):
            self._write(step_of(note.move))

    def _write(self, fact: CallFact | Step) -> None:
        self._file.write(msgspec.json.encode((type(fact).__name__, fact)) + b"\n")

    def close(self) -> None:
        self._file.close()


class _NothingBefore:
    """An event log in which nothing is yet."""

    async def facts(self, start_at: datetime, end_at: datetime) -> AsyncIterator[CallFact | Step]:
        nothing: tuple[CallFact | Step, ...] = ()
        for fact in nothing:
            yield fact


@contextlib.asynccontextmanager
async def _bridge() -> AsyncIterator[_Bridge]:
    with tempfile.TemporaryDirectory() as home:
        agents = tuple(str(2001 + number) for number in range(AGENTS))
        settings = load_settings({}, {"home": Path(home), "agents": agents})
        records, journal = _Log(Path(home) / "log"), Journal(Path(home) / "journal")
        scribe, clock = Scribe(records, journal), _Clock()
        figures = WallFigures(_NothingBefore(), clock.now)
        await figures.read()
        scribe.watch(figures.take)
        switch = cast("Switch", FakeSwitch(*settings.agents))
        redis = cast("Redis", NoRedis())
        centre = build_centre(
            settings, switch, redis, records, scribe, extract=no_draft, now=clock.now
        )
        writing = asyncio.create_task(scribe.run())
        try:
            yield _Bridge(centre, scribe, figures, clock, Path(home) / "log")
        finally:
            await centre.close()
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
            journal.close()
            records.close()


@dataclass
class _Days:
    before_mb: float
    after_mb: float
    seconds: float
    same: dict[str, int]


async def _two_days() -> _Days:
    async with _bridge() as bridge:
        began_s = time.perf_counter()
        first = MadeDay(BEGIN_AT, CALLS, AGENTS, seed=1)
        await bridge.take(first.events())
        seconds = time.perf_counter() - began_s
        _compare(bridge, first.truth, BEGIN_AT)
        before_mb = weight_mb()
        next_at = BEGIN_AT + timedelta(hours=26)
        second = MadeDay(next_at, CALLS, AGENTS, seed=2)
        await bridge.take(second.events())
        after_mb = weight_mb()
        return _Days(before_mb, after_mb, seconds, _compare(bridge, second.truth, next_at))


def _compare(bridge: _Bridge, truth: Truth, begin_at: datetime) -> dict[str, int]:
    """The wall, the log counted offline, and the truth; raises where two differ."""
    bridge.clock.at += SETTLE + timedelta(seconds=1)
    facts = list(_read(bridge.log))
    calls: dict[str, CallFact] = {}
    for fact in facts:
        if isinstance(fact, CallFact):
            known = calls.get(fact.call)
            calls[fact.call] = fact if known is None else known.merged(fact)
    steps = [fact for fact in facts if isinstance(fact, Step)]
    for window in bridge.figures.now():
        _must_be(_offline(calls.values(), steps, window), _shown(window), window.window)
    whole = Interval(begin_at, bridge.clock.at)
    sums = count(calls.values(), steps, whole).sums.total
    found = {name: sums.get((name, 0), 0) for name in FIGURES}
    _must_be(found, _happened(truth), "what happened")
    _must_be(sums["wait", 0], truth.wait_micros, "the waits, to the microsecond")
    return found


def _happened(truth: Truth) -> dict[str, int]:
    return {name: getattr(truth, name) for name in FIGURES}


def _offline(calls: Iterable[CallFact], steps: Iterable[Step], window: Window) -> object:
    found = count(calls, steps, Interval(window.start_at, window.end_at)).figures()
    return found.total, found.staff, found.queues


def _shown(window: Window) -> object:
    return window.total, window.staff, window.queues


def _must_be(one: object, other: object, what: str) -> None:
    if one != other:
        raise AssertionError(f"{what}: {one} is not {other}")


def _read(log: Path) -> Iterator[CallFact | Step]:
    with log.open("rb") as file:
        for line in file:
            kind, raw = msgspec.json.decode(line, type=tuple[str, msgspec.Raw])
            if kind == "CallFact":
                yield msgspec.json.decode(raw, type=CallFact)
            else:
                yield msgspec.json.decode(raw, type=Step)
