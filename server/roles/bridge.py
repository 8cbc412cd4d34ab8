"""The bridge role: the one process that follows Asterisk and writes the live facts.

Three feeds (the switch, the speech role, people's commands) go into one centre; a fourth task
keeps time. Each feed loses and finds its own source again; none of them stops the others.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import asyncpg
import structlog
from redis.exceptions import RedisError

from base.backoff import backoff_s
from base.database import Database
from base.errors import HotlineError
from base.ids import AgentId
from insight.store import EventLog
from server.city import city_pack
from server.connections import database_url, redis_url
from server.live.centre import Centre
from server.live.commands import CommandServer
from server.live.drafting import Extract
from server.live.event_watch import watch_events
from server.live.former_desk import FormerDesks
from server.live.gaps import GapFiller, ReadBooks
from server.live.handovers import HandoverKeeper, ReadHandovers
from server.live.journal import Journal
from server.live.late_words import LateWords
from server.live.messages import Messages
from server.live.notes import WantLateLeg
from server.live.scribe import Scribe
from server.live.speech_feed import SpeechFeed
from server.live.wall import Wall
from server.live.wall_figures import WallFigures
from server.records.handovers import Handovers
from server.records.late_legs import LateLegs
from server.records.postgres import PostgresRecords
from server.records.recordings import RecordingKeeper
from server.records.retention import Retention
from server.redis_client import connect_redis
from server.roles.bridge_parts import (
    build_centre,
    build_return_caller,
    build_trunk_tester,
    build_wall,
    handovers_of,
    past_calls_of,
    utc_now,
)
from server.secrets_store import secrets_of
from server.settings import Settings
from telephony.past_calls import PastCall
from telephony.switch import AsteriskSwitch, Switch
from transcription.draft_reader import DraftReader
from transcription.draft_ticket import Speaker
from transcription.wire import LegHeard

log = structlog.get_logger(__name__)

TICK_S = 1.0
CHECK_S = 3.0
LOOK_S = 3.0
"""How often calls are looked for that stood over a gap and have ended."""
RESTS_PER_READING = 2.0
MOST_UNSAFE_PLACES = 10_000
"""Overflow rule: the oldest is forgotten; a later one stands for it."""


async def run(settings: Settings) -> None:
    """Follow Asterisk until cancelled."""
    switch = AsteriskSwitch(
        host=settings.asterisk_address or settings.service_host,
        port=settings.ports.ami,
        username="hotline",
        secret=secrets_of(settings).read("ami"),
    )
    books, handovers = past_calls_of(settings), handovers_of(settings)
    drafts = DraftReader()
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(drafts.run(), name="drafts")
        await follow(settings, switch, books, handovers, extract=drafts.read)
        reading.cancel()


async def follow(
    settings: Settings,
    switch: Switch,
    read_books: ReadBooks,
    read_past_handovers: ReadHandovers,
    *,
    extract: Extract,
) -> None:
    """The whole role behind any switch."""
    redis = connect_redis(redis_url(settings))
    database = await Database.open(database_url(settings, "bridge"), name="hotline-bridge")
    records = PostgresRecords(database)
    journal = Journal(settings.home / "journal" / "scribe.journal")
    scribe = Scribe(records, journal)
    signed_in = await FormerDesks(redis).signed_in(AgentId(agent) for agent in settings.agents)
    centre = build_centre(settings, switch, redis, records, scribe, signed_in, extract=extract)
    commands = CommandServer(redis, centre.on_command)
    late = LateWords(redis, LateLegs(database), centre, is_all_stored=lambda: scribe.is_idle)
    ears = Ears(SpeechFeed(redis), centre, scribe, late)
    pack = city_pack(settings)
    retention = Retention(database, records, settings.recordings_dir, lambda: pack)
    keeper = RecordingKeeper(settings.recordings_dir, retention, centre.recordings_in_switch)
    centre.when_call_ended(keeper.call_ended)
    figures = WallFigures(EventLog(database), utc_now)
    scribe.watch(figures.take)
    wall = build_wall(settings, switch, centre.publisher, figures)
    filler = GapFiller(
        records, read_books, centre.calls_in_switch, utc_now, entered=figures.take_call
    )
    gaps = Gaps(filler, centre, scribe, records, figures)
    centre.when_link_changed(gaps.link_changed)
    returns = build_return_caller(settings, switch, database, centre)
    messages = Messages(LateLegs(database), records, extract, utc_now)
    tester = build_trunk_tester(settings, switch, database, centre)
    handovers = HandoverKeeper(Handovers(database), read_past_handovers, utc_now)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(switch.run(), name="switch")
            tasks.create_task(_follow_switch(switch, centre, wall), name="telephony")
            tasks.create_task(_while_redis("speech", ears.hear))
            tasks.create_task(_while_redis("commands", commands.serve_once))
            tasks.create_task(_every(TICK_S, centre.tick), name="time")
            tasks.create_task(_every(CHECK_S, centre.check_streams), name="streams")
            tasks.create_task(scribe.run(), name="scribe")
            tasks.create_task(keeper.run(), name="recordings")
            tasks.create_task(retention.run(), name="retention")
            tasks.create_task(gaps.run(), name="gaps")
            tasks.create_task(wall.run(), name="wall")
            tasks.create_task(watch_events(records, wall.set_alarms), name="events")
            tasks.create_task(centre.supervision.watch(records), name="supervision")
            tasks.create_task(late.run(), name="late-words")
            tasks.create_task(handovers.run(), name="handovers")
            tasks.create_task(returns.run(), name="return-calls")
            tasks.create_task(messages.run(), name="messages")
            tasks.create_task(tester.run(), name="trunk-tests")
    finally:
        await commands.close()
        await centre.close()
        await database.close()
        await redis.aclose()
        journal.close()


async def _follow_switch(switch: Switch, centre: Centre, wall: Wall) -> None:
    async for event in switch.events():
        wall.heard(event)
        await centre.on_telephony(event)


class Ears:
    """Hears the speech role, and remembers only as far as what was heard is safe.

    A bridge that dies reads again what it had heard but not yet written; lines heard twice are
    the same lines (``server.live.stream_book``).
    """

    def __init__(self, feed: SpeechFeed, centre: Centre, scribe: Scribe, late: LateWords) -> None:
        self._feed = feed
        self._late = late
        self._centre = centre
        self._scribe = scribe
        self._unsafe: deque[tuple[int, str]] = deque(maxlen=MOST_UNSAFE_PLACES)

    async def hear(self) -> None:
        """Take the next messages."""
        messages = await self._feed.read()
        for message in messages:
            if isinstance(message, LegHeard):
                self._late.take(message)
            else:
                await self._centre.on_speech(message)
        if messages and self._feed.place is not None:
            self._unsafe.append((self._scribe.noted, self._feed.place))
        safe = None
        while self._unsafe and self._unsafe[0][0] <= self._scribe.safe:
            safe = self._unsafe.popleft()[1]
        if safe is not None:
            await self._feed.keep_place(safe)


class Gaps:
    """After each start and each gap of the link: makes the records whole, then the desks.

    Looks again now and then for calls that stood over a gap and have ended since.
    """

    def __init__(
        self,
        filler: GapFiller,
        centre: Centre,
        scribe: Scribe,
        records: PostgresRecords,
        figures: WallFigures,
    ) -> None:
        self._filler = filler
        self._records = records
        self._figures = figures
        self._centre = centre
        self._scribe = scribe
        self._wanted = asyncio.Event()

    def link_changed(self, is_up: bool) -> None:
        """A gap begins, or is over."""
        if is_up:
            self._wanted.set()
        else:
            self._filler.gap_began()

    async def run(self) -> None:
        """Fill gaps for ever."""
        await self._until_all_is_stored()
        await self._figures.read()
        rest_s = LOOK_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await self._wanted.wait()
            is_back = self._wanted.is_set()
            self._wanted.clear()
            await self._until_all_is_stored()
            began_mono = time.monotonic()
            try:
                ended_unseen = await self._filler.fill()
                if is_back:
                    await self._records.close_attempts(self._centre.attempts_in_switch())
                self._want_words(ended_unseen)
                await self._centre.resume_wrap_ups(ended_unseen)
            except HotlineError as error:
                log.warning("gap_not_filled", code=error.code)
            except asyncpg.PostgresError as error:
                log.error("gap_not_filled", sqlstate=error.sqlstate)
            # Books that take long to read are read seldom; after a gap something is owed soon.
            took_s = time.monotonic() - began_mono
            rest_s = LOOK_S if is_back else max(LOOK_S, RESTS_PER_READING * took_s)

    async def _until_all_is_stored(self) -> None:
        while self._scribe.has_journal:  # noqa: ASYNC110 - else we would see less than is known
            await asyncio.sleep(0.2)

    def _want_words(self, ended_unseen: Sequence[PastCall]) -> None:
        """Nobody listened to them to their end: what is missing comes from the recordings."""
        for past in ended_unseen:
            for leg in Speaker:
                self._scribe.note(WantLateLeg(past.call, leg))


async def _every(pause_s: float, step: Callable[[], Awaitable[None]]) -> None:
    while True:
        await step()
        _leave_if_cancelled()
        await asyncio.sleep(pause_s)


def _leave_if_cancelled() -> None:
    """redis-py 8 now and then swallows a cancellation (seen 2026-11): the role could not end."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _while_redis(name: str, step: Callable[[], Awaitable[None]]) -> None:
    """Repeat ``step``; while Redis is away, wait and go on where it stopped."""
    waits = backoff_s(first_s=0.1, most_s=2.0)
    while True:
        try:
            await step()
            _leave_if_cancelled()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("redis_away", feed=name, error=type(error).__name__)
            await asyncio.sleep(next(waits))
        else:
            waits = backoff_s(first_s=0.1, most_s=2.0)
