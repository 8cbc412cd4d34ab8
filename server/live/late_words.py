"""Words that come after the call, from its recording, for legs that were not heard live.

Owns the bridge's part: leases a leg while the speech role has room, gives it to the role through
Redis, and stores what comes back, with the lease's end, in one transaction: words are stored once
however often a leg is heard. The desk is told when it still shows the call. With PostgreSQL, Redis
or the speech role away nothing is lost: the lease runs out and the leg is given again.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import asyncpg
import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.database import DatabaseUnavailable
from base.ids import CallId, StreamId
from server.live.late_lines import new_lines
from server.live.records import LateLine
from server.push.protocol import Line
from server.streams import get_bytes, transact
from transcription.wire import (
    LATE_LEGS_KEY,
    SPEECH_ROLE_KEY,
    LateLeg,
    LegHeard,
    decode_role_state,
    encode,
    late_patience_s,
)

log = structlog.get_logger(__name__)

OFFER_EVERY_S: Final = 1.0
RESULTS_MOST: Final = 100
"""Overflow rule: a result too many is dropped; its leg is heard again when the lease runs out."""
QUIET_TIMEOUT_S: Final = 20.0
"""How long a result waits for the last live words, which must be stored before it. A stream whose
end nobody told is waited for no longer; words that are not stored put the result off."""
TRIES_MOST: Final = 6


class LateLegBook(Protocol):
    """The lasting list of legs (``server.records.late_legs``)."""

    async def lease(self, stream: StreamId, *, tries_most: int) -> LateLeg | None:
        """The next leg to be heard, held under the name ``stream``."""

    async def lines(self, call: CallId) -> list[Line]:
        """The stored lines of a call."""

    async def finish(self, heard: LegHeard, lines: Sequence[LateLine]) -> bool:
        """Store all and end the lease; False where the lease is another's, or ended."""

    async def put_back(self, stream: StreamId) -> None:
        """The leg was not heard: again later."""


class Desk(Protocol):
    """What the live desk knows and shows of a call."""

    def is_hearing(self, call: CallId) -> bool:
        """Whether live words may still come."""

    def shown_lines(self, call: CallId) -> list[Line]:
        """The lines on the desk, if the call is on one."""

    async def show_late(self, heard: LegHeard, lines: Sequence[Line]) -> None:
        """Show the lines; the leg is heard now."""


class LateWords:
    """One giver of legs and taker of words."""

    def __init__(
        self, redis: Redis, book: LateLegBook, desk: Desk, *, is_all_stored: Callable[[], bool]
    ) -> None:
        self._redis = redis
        self._book = book
        self._desk = desk
        self._is_all_stored = is_all_stored
        self._heard: asyncio.Queue[LegHeard] = asyncio.Queue(RESULTS_MOST)

    def take(self, heard: LegHeard) -> None:
        """A leg was heard, or could not be."""
        with contextlib.suppress(asyncio.QueueFull):
            self._heard.put_nowait(heard)

    async def run(self) -> None:
        """Give and take for ever."""
        while True:
            heard = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OFFER_EVERY_S):
                    heard = await self._heard.get()
            try:
                await (self._offer() if heard is None else self._store(heard))
            except (DatabaseUnavailable, RedisError, OSError, TimeoutError) as error:
                log.debug("late_words_wait", error=type(error).__name__)
            except asyncpg.PostgresError as error:
                log.error("late_words_refused", sqlstate=error.sqlstate)

    async def _offer(self) -> None:
        """Give the role one leg, if it has room and none is waiting."""
        if not self._is_all_stored() or not await self._has_room():
            return
        if await self._redis.llen(LATE_LEGS_KEY):
            return
        leg = await self._book.lease(StreamId(str(uuid.uuid4())), tries_most=TRIES_MOST)
        if leg is None:
            return
        await transact(
            self._redis,
            ("RPUSH", LATE_LEGS_KEY, encode(leg)),
            ("EXPIRE", LATE_LEGS_KEY, round(late_patience_s(leg.talk_s))),
        )
        log.info("late_leg_given", call=leg.call, speaker=leg.speaker)

    async def _has_room(self) -> bool:
        raw = await get_bytes(self._redis, SPEECH_ROLE_KEY)
        if raw is None:
            return False
        try:
            role = decode_role_state(raw)
        except msgspec.DecodeError:
            return False
        return role.streams < role.capacity

    async def _store(self, heard: LegHeard) -> None:
        if heard.failure:
            await self._book.put_back(heard.stream)
            return
        await self._until_quiet(heard.call)
        on_desk = self._desk.shown_lines(heard.call)
        stored = await self._book.lines(heard.call)
        known = {line.id: line for line in [*on_desk, *stored]}  # what is stored is final
        found = new_lines(list(known.values()), heard.speaker, heard.utterances)
        lines = [LateLine(line, words) for line, words in found]
        if not await self._book.finish(heard, lines):
            log.info("late_leg_known", call=heard.call, speaker=heard.speaker)
            return
        log.info("late_leg_stored", call=heard.call, speaker=heard.speaker, lines=len(lines))
        await self._desk.show_late(heard, [line for line, _words in found])

    async def _until_quiet(self, call: CallId) -> None:
        """Until every live word of the call is stored."""
        with contextlib.suppress(TimeoutError):
            await _until(lambda: not self._desk.is_hearing(call))
        await _until(self._is_all_stored)


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(QUIET_TIMEOUT_S):
        while not is_so():  # noqa: ASYNC110 - what is watched has no event to wait for
            await asyncio.sleep(0.1)
