"""The leaders' wall on the bridge as it runs: who waits, who does what, the report's figures."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from base.database import Database
from base.ids import CallId
from insight.facts import Interval
from insight.store import EventLog
from server.events import Events
from server.live.commands import DraftSettled
from server.live.wall import MOST_CALLERS
from server.live.wall_figures import WINDOWS
from server.push.protocol import WallFigures, WallView
from server.settings import Settings
from telephony.events import AgentPhone
from tests.fakes.live_bridge import WAIT_S, LiveBridge


class WallBridge(LiveBridge):
    """A bridge whose wall is looked at."""

    async def wrap_up(self, call: CallId, agent: str = "1001") -> None:
        self.switch.hang_up(call)
        await self.until_view(lambda view: view.me.state == "wrap_up", agent, "wrap-up")
        await self.ask(
            DraftSettled(agent=agent, call=call, saved="kept_on_disk", ticket_number=None)
        )
        await self.until_view(lambda view: view.me.state == "ready", agent, "ready")

    async def until_counted(self, **wanted: float) -> dict[str, WallFigures]:
        """The wall says so in each window."""

        def is_so(view: WallView) -> bool:
            return len(view.figures) == 3 and all(
                each.total[code] == value for each in view.figures for code, value in wanted.items()
            )

        view = await self.until_wall(is_so, f"figures {wanted}")
        return {each.window: each for each in view.figures}


@pytest.fixture
async def live(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WallBridge]:
    # Also over midnight all that a test did is of today.
    today = WINDOWS["today"](datetime.now(UTC) - timedelta(minutes=1))
    monkeypatch.setitem(WINDOWS, "today", lambda _at: today)
    made = WallBridge(settings)
    async with made:
        await made.make_ready("1001", "1002")
        yield made


async def test_who_waits_and_who_talks_is_on_the_wall_and_no_number_is_whole(
    live: WallBridge,
) -> None:
    first, second = live.switch.arrive("13800138000"), live.switch.arrive("")
    for call in (first, second):
        live.switch.queue(call)
    view = await live.until_wall(lambda view: len(view.callers) == 2, "two wait")
    assert [caller.caller_number for caller in view.callers] == ["138****8000", ""]
    assert (view.queues[0].queue, view.queues[0].waiting) == ("hotline", 2)
    assert view.queues[0].longest_since_at == view.callers[0].since_at
    live.switch.answer(first, live.switch.ring(first, "1001"))
    view = await live.until_wall(
        lambda view: view.agents[0].state == "talking" and view.agents[0].call == first, "a talk"
    )
    assert (view.agents[0].caller_number, view.agents[0].queue) == ("138****8000", "hotline")
    live.switch.phone("1002", AgentPhone.UNREACHABLE)
    live.switch.hang_up(second)
    view = await live.until_wall(
        lambda view: view.agents[1].state == "lost" and not view.callers, "a lost phone"
    )
    assert "13800138000" not in str(view)


@pytest.mark.requirement("R004", city="jinan_2018")
async def test_the_wall_and_the_report_of_the_same_interval_agree_to_the_last_digit(
    live: WallBridge, web: Database
) -> None:
    for number in range(3):
        late = timedelta(seconds=16 if number == 0 else 0)
        call = await live.answered_call(f"1380013800{number}", waited=late)
        await live.wrap_up(call)
    gone = live.switch.arrive("13800138009")
    live.switch.queue(gone)
    await live.until_wall(lambda view: bool(view.callers), "a caller")
    live.switch.hang_up(gone)
    talking = await live.answered_call("13800138010", "1002")
    waiting = live.switch.arrive("13800138011")
    live.switch.queue(waiting)
    for_each = await live.until_counted(offered=6, answered=4, abandoned=1, waiting=1, handled=3)
    await same_as_report(for_each, web)
    for window in for_each.values():
        # Of four that were answered one was late; who left at once had hardly begun to wait.
        told = [window.total[code] for code in ("in_time", "service_level", "connected")]
        assert told == [3, 0.75, 0.8], window.window
    live.switch.hang_up(waiting)
    await live.wrap_up(talking, "1002")
    later = await live.until_counted(abandoned=2, waiting=0, handled=4)
    await same_as_report(later, web)
    # What happened since is not known in the interval that was shown before.
    await same_as_report(for_each, web)


async def test_a_new_bridge_goes_on_with_the_same_figures(live: WallBridge, web: Database) -> None:
    call = await live.answered_call()
    await live.wrap_up(call)
    await live.until_counted(answered=1, handled=1)
    await live.restart()
    other = await live.answered_call("13800138001", "1002")
    await live.wrap_up(other, "1002")
    await same_as_report(await live.until_counted(answered=2, handled=2), web)


async def test_an_open_event_is_on_the_wall_until_it_is_closed(
    live: WallBridge, web: Database
) -> None:
    events = Events(web)
    number = await events.open(
        title="城东停水",
        text="",
        announce="",
        queues=(),
        priority=0,
        since_at=datetime.now(UTC) - timedelta(minutes=1),
        until_at=None,
        by="班长",
    )
    view = await live.until_wall(lambda view: bool(view.alarms), "the event")
    (alarm,) = view.alarms
    assert (alarm.kind, alarm.about, alarm.params) == ("event", "城东停水", {"calls": "0"})
    await events.close(number, by="班长")
    await live.until_wall(lambda view: not view.alarms, "its end")


async def test_more_callers_than_fit_are_counted(live: WallBridge) -> None:
    for number in range(MOST_CALLERS + 3):
        live.switch.queue(live.switch.arrive(f"138001{number:05}"))
    view = await live.until_wall(
        lambda view: view.queues[0].waiting == MOST_CALLERS + 3, "all of them"
    )
    assert len(view.callers) == MOST_CALLERS


async def same_as_report(shown: dict[str, WallFigures], web: Database) -> None:
    """Once all that the bridge noted is written."""
    for window in shown.values():
        interval = Interval(window.start_at, window.end_at)
        told = window.total, window.staff, window.queues
        end_mono = monotonic() + WAIT_S
        while await counted(web, interval) != told and monotonic() < end_mono:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert await counted(web, interval) == told, window.window


async def counted(web: Database, interval: Interval) -> tuple[object, object, object]:
    """As the report has it."""
    found = (await EventLog(web).count(interval)).figures()
    return found.total, found.staff, found.queues


def test_the_windows_begin_at_full_minutes_and_today_at_midnight_in_china() -> None:
    at = datetime.fromisoformat("2026-03-01T16:30:59.5+00:00")
    starts = {name: begin(at) for name, begin in WINDOWS.items()}
    assert starts["today"] == datetime.fromisoformat("2026-03-01T16:00:00+00:00")
    assert starts["half_hour"] == datetime.fromisoformat("2026-03-01T16:00:00+00:00")
    assert at - starts["day"] < timedelta(hours=24, minutes=1)
