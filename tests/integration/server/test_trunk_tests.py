"""Each emergency trunk is called once a day; a silent one raises the alarm until it answers."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from base.database import Database
from server.live.trunk_tests import TrunkTester
from server.records.trunk_tests import TrunkTests
from server.settings import Settings
from telephony.failures import LinkDown
from tests.fakes.live_bridge import LiveBridge
from tests.fakes.switch import FakeSwitch

NUMBER = "053100000000"
TRUNKS = ("emergency", "emergency-2")
MORNING = datetime(2026, 11, 27, 20, 30, tzinfo=UTC)
"""04:30 of the 28th in China."""


class Clock:
    def __init__(self) -> None:
        self.now = MORNING


class Rounds:
    """A tester on a real database; ``restart`` is another process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.switch = FakeSwitch()
        self.switch.regain_link()
        self.well: list[bool] = []
        self.restart()

    def restart(self) -> None:
        self.tester = TrunkTester(
            self.switch,
            TrunkTests(self.database),
            trunks=TRUNKS,
            number=NUMBER,
            hour=4,
            now=lambda: self.clock.now,
            changed=self.well.append,
            is_linked=lambda: True,
        )

    async def look(self, *, after: timedelta = timedelta()) -> None:
        self.clock.now += after
        await self.tester.look(NUMBER)


@pytest.fixture
def rounds(bridge: Database) -> Rounds:
    return Rounds(bridge)


async def test_each_trunk_is_called_once_a_day_over_restarts(rounds: Rounds) -> None:
    await rounds.look()
    await rounds.look(after=timedelta(hours=3))
    rounds.restart()
    await rounds.look(after=timedelta(hours=3))
    assert rounds.switch.tested == [(trunk, NUMBER) for trunk in TRUNKS]
    await rounds.look(after=timedelta(hours=24))
    assert len(rounds.switch.tested) == 4
    assert rounds.well == [True] * 4


async def test_nothing_is_called_before_the_hour(rounds: Rounds) -> None:
    await rounds.look(after=-timedelta(hours=2))
    assert rounds.switch.tested == []


async def test_silent_trunk_alarms_and_is_asked_again_until_it_answers(rounds: Rounds) -> None:
    rounds.switch.trunk_outcomes["emergency-2"] = "no_answer"
    with capture_logs() as lines:
        await rounds.look()
    assert [line["trunk"] for line in lines if line["log_level"] == "error"] == ["emergency-2"]
    await rounds.look(after=timedelta(minutes=30))
    assert len(rounds.switch.tested) == 2
    rounds.switch.trunk_outcomes.clear()
    await rounds.look(after=timedelta(minutes=31))
    assert rounds.switch.tested[2:] == [("emergency-2", NUMBER)]
    assert rounds.well == [False, False, True]


async def test_test_that_broke_off_is_made_again_and_not_at_once(rounds: Rounds) -> None:
    rounds.switch.lose_link()
    with pytest.raises(LinkDown):
        await rounds.look()
    rounds.switch.regain_link()
    rounds.restart()
    await rounds.look(after=timedelta(minutes=1))
    assert rounds.switch.tested == [("emergency-2", NUMBER)]
    await rounds.look(after=timedelta(hours=1))
    assert rounds.switch.tested[1:] == [("emergency", NUMBER)]


async def test_every_desk_is_told_of_a_silent_trunk(settings: Settings) -> None:
    async with LiveBridge(settings) as live:
        await live.until_view(lambda view: view.links.emergency_trunks == "up", what="the desk")
        live.switch.trunk_outcomes["emergency"] = "no_answer"
        await live.kill()
        live.switch.trunk_outcomes["emergency"] = "no_answer"
        live.settings = with_test(settings)
        live.start()
        await live.until_view(lambda view: view.links.emergency_trunks == "down", what="the banner")


def with_test(settings: Settings) -> Settings:
    """Tests are made from the first hour of the day on."""
    from dataclasses import replace

    return replace(settings, emergency_test_number=NUMBER, emergency_test_hour=0)
