"""Calls a harmless number over each emergency trunk once a day; a silent one raises the alarm.

The trunks are not asked by OPTIONS: an exchange that ignores those must not look dead to an
emergency. Whether a test is due is decided by the database alone, so a restart neither forgets one
nor makes a second. What it finds never changes the way of an emergency.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final, Protocol

import structlog

from base.database import DatabaseUnavailable
from base.errors import HotlineError

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 60.0
LINK_EVERY_S: Final = 0.5
AGAIN_AFTER: Final = timedelta(hours=1)
"""A trunk that did not answer is asked again, so that the alarm ends."""
CALL_TIMEOUT_S: Final = 40.0
ANSWERED: Final = "answered"
CHINA: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class TrunkTest:
    """The latest finished test of one trunk; ``outcome`` is ``answered`` or why not."""

    trunk: str
    ended_at: datetime
    outcome: str


class TrunkTestBook(Protocol):
    """``server.records.trunk_tests``."""

    async def claim(self, trunk: str, day: date, at: datetime, *, not_since: datetime) -> bool:
        """Whether the day's test of this trunk is ours to make now."""

    async def finish(self, trunk: str, day: date, at: datetime, outcome: str) -> None:
        """What the call came to."""

    async def latest(self) -> list[TrunkTest]:
        """Of each trunk."""


class TrunkTestSwitch(Protocol):
    """What is asked of the switch."""

    async def test_trunk(self, trunk: str, number: str) -> str:
        """Call the number over the trunk; ``answered``, or why not."""


class TrunkTester:
    """``run`` beside everything else; ``changed`` hears whether all trunks are well.

    ``is_linked`` tells whether Asterisk can be asked now.
    """

    def __init__(
        self,
        switch: TrunkTestSwitch,
        book: TrunkTestBook,
        *,
        trunks: Sequence[str],
        number: str | None,
        hour: int,
        now: Callable[[], datetime],
        changed: Callable[[bool], None],
        is_linked: Callable[[], bool],
    ) -> None:
        self._switch = switch
        self._book = book
        self._trunks = trunks
        self._number = number
        self._hour = hour
        self._now = now
        self._changed = changed
        self._is_linked = is_linked

    async def run(self, *, look_every_s: float = LOOK_EVERY_S) -> None:
        """Look for ever; returns at once where no number is set."""
        while self._number is not None:
            if not self._is_linked():  # a test claimed now would be spent on nothing, for an hour
                await asyncio.sleep(LINK_EVERY_S)
                continue
            try:
                await self.look(self._number)
            except DatabaseUnavailable:
                pass  # without the book nobody knows whether it was done
            except HotlineError as error:
                log.warning("trunk_test_put_off", code=error.code)
            await asyncio.sleep(look_every_s)

    async def look(self, number: str) -> None:
        """Make the tests that are due, then tell how the trunks are."""
        for trunk in self._trunks:
            await self._test(trunk, number)
        tests = [test for test in await self._book.latest() if test.trunk in self._trunks]
        self._changed(all(test.outcome == ANSWERED for test in tests))

    async def _test(self, trunk: str, number: str) -> None:
        at = self._now()
        here = at.astimezone(CHINA)
        if here.hour < self._hour:
            return
        if not await self._book.claim(trunk, here.date(), at, not_since=at - AGAIN_AFTER):
            return
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                outcome = await self._switch.test_trunk(trunk, number)
        except TimeoutError:
            outcome = "timed_out"
        await self._book.finish(trunk, here.date(), self._now(), outcome)
        if outcome == ANSWERED:
            log.info("emergency_trunk_well", trunk=trunk)
        else:
            log.error("emergency_trunk_silent", trunk=trunk, outcome=outcome)
