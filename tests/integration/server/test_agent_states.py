"""Agents' states through the loss of each part: found again, right again, nobody stuck."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from base.database import Connection
from base.ids import AgentId, CallId, RingId
from routing.agents import AgentState
from server.live.centre import Centre
from server.live.commands import DraftSettled, SetAgentState
from server.push.protocol import DeskView
from server.roles import bridge, bridge_parts
from server.settings import Settings
from telephony.events import AgentPhone, RingEnd
from tests.fakes.live_bridge import LiveBridge, until
from tests.integration.server.test_live_faults import rows

STATES = {
    "1001": AgentState.OFFLINE,
    "1002": AgentState.READY,
    "1003": AgentState.RESERVED,
    "1004": AgentState.RINGING,
    "1005": AgentState.TALKING,
    "1006": AgentState.HOLDING,
    "1007": AgentState.WRAP_UP,
    "1008": AgentState.PAUSED,
    "1009": AgentState.LOST,
}
"""One agent in each state."""
LEASE = timedelta(minutes=2)


def shows(state: AgentState) -> Callable[[DeskView], bool]:
    return lambda view: view.me.state == state


class Floor:
    """Nine agents, each in another state, and the means to take parts away."""

    def __init__(self, live: LiveBridge, centres: list[Centre]) -> None:
        self.live = live
        self.centres = centres
        self.ringing: tuple[CallId, RingId] = (CallId(""), RingId(""))
        self.calls: dict[str, CallId] = {}

    async def fill(self) -> None:
        """Everybody signs in, and gets into their state."""
        live = self.live
        await live.make_ready(*STATES)
        await live.ask(SetAgentState(agent="1001", wish="sign_out"))
        await self.centres[-1].reserve(AgentId("1003"), "return_call", lease=LEASE)
        for agent in ("1005", "1006", "1007"):
            self.calls[agent] = await live.answered_call(f"1380013{agent}", agent)
        live.switch.hold(self.calls["1006"], is_held=True)
        live.switch.hang_up(self.calls["1007"])
        await live.ask(SetAgentState(agent="1008", wish="go_paused", reason="meal"))
        live.switch.phone("1009", AgentPhone.UNREACHABLE)
        call = live.switch.arrive("13800131004")
        live.switch.queue(call)
        self.ringing = (call, live.switch.ring(call, "1004"))
        self.calls["1004"] = call
        await self.until_states(STATES)

    async def until_states(self, wanted: dict[str, AgentState]) -> None:
        """The pages show these states, and the queues have the marks they ask for."""
        for agent, state in wanted.items():
            view = await self.live.until_view(shows(state), agent, f"{agent} {state}")
            assert view.me.phone_registered is (agent != "1009" or state is not AgentState.LOST)
        marks = {
            AgentState.OFFLINE: True,
            AgentState.READY: False,
            AgentState.RESERVED: True,
            AgentState.WRAP_UP: True,
            AgentState.PAUSED: True,
            AgentState.LOST: False,
        }
        for agent, state in wanted.items():
            if state in marks:
                await self.until_marked(agent, is_paused=marks[state])

    async def until_marked(self, agent: str, *, is_paused: bool) -> None:
        await until(lambda: self.is_marked(agent) is is_paused)

    def is_marked(self, agent: str) -> bool:
        return self.live.switch.snapshot().agents[AgentId(agent)].is_paused

    async def change(self) -> None:
        """What people do while nobody looks."""
        switch = self.live.switch
        call, ring = self.ringing
        switch.stop_ringing(call, ring, RingEnd.NO_ANSWER)
        switch.hang_up(call)
        switch.hang_up(self.calls["1005"])
        switch.hold(self.calls["1006"], is_held=False)
        switch.phone("1009", AgentPhone.IDLE)
        switch.unpause_by_phone("1008")

    async def free_all(self) -> None:
        """Calls end, drafts are confirmed, people want calls again: nobody is stuck."""
        live = self.live
        live.switch.phone("1009", AgentPhone.IDLE)
        for agent in ("1004", "1005", "1006"):
            if self.calls[agent] in live.switch.snapshot().calls:
                live.switch.hang_up(self.calls[agent])
        await self.until_states({"1006": AgentState.WRAP_UP, "1007": AgentState.WRAP_UP})
        await self.centres[-1].release(AgentId("1003"))
        for agent in ("1006", "1007"):
            await live.ask(
                DraftSettled(
                    agent=agent, call=self.calls[agent], saved="kept_on_disk", ticket_number=None
                )
            )
        for agent in ("1001", "1004", "1005", "1008"):
            await live.ask(SetAgentState(agent=agent, wish="go_ready"))
        await self.until_states(dict.fromkeys(STATES, AgentState.READY))


@pytest.fixture
async def floor(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Floor]:
    centres: list[Centre] = []
    make = bridge_parts.build_centre

    def made(*parts: Any, **named: Any) -> Centre:
        centres.append(make(*parts, **named))
        return centres[-1]

    monkeypatch.setattr(bridge, "build_centre", made)
    async with LiveBridge(replace(settings, agents=tuple(STATES))) as live:
        found = Floor(live, centres)
        await found.fill()
        yield found


async def test_killed_bridge_finds_each_state_again(floor: Floor) -> None:
    await floor.live.restart()
    # Whoever had reserved the agent died with the bridge.
    await floor.until_states(STATES | {"1003": AgentState.READY})
    await floor.free_all()


async def test_killed_bridge_finds_what_each_state_became_meanwhile(floor: Floor) -> None:
    await floor.live.kill()
    await floor.change()
    floor.live.start()
    await floor.until_states(
        {
            "1001": AgentState.OFFLINE,
            "1002": AgentState.READY,
            "1003": AgentState.READY,
            "1004": AgentState.READY,  # nobody saw that it was not answered
            "1006": AgentState.TALKING,
            "1007": AgentState.WRAP_UP,
            "1008": AgentState.READY,
            "1009": AgentState.READY,
        }
    )
    await floor.free_all()


async def test_cut_link_changes_no_state_and_its_return_tells_what_each_became(
    floor: Floor,
) -> None:
    floor.live.switch.lose_link()
    await floor.live.until_view(lambda view: view.links.telephony == "down")
    await floor.until_states({"1005": AgentState.TALKING, "1009": AgentState.LOST})
    await floor.change()
    floor.live.switch.regain_link()
    await floor.until_states(
        {
            "1002": AgentState.READY,
            "1003": AgentState.RESERVED,
            "1004": AgentState.READY,
            "1005": AgentState.WRAP_UP,
            "1006": AgentState.TALKING,
            "1007": AgentState.WRAP_UP,
            "1008": AgentState.READY,
            "1009": AgentState.READY,
        }
    )
    await floor.free_all()


async def test_emptied_redis_costs_no_state(floor: Floor) -> None:
    await floor.live.redis.flushall()
    await floor.until_states(STATES)
    await floor.free_all()


async def test_a_mark_that_the_switch_never_took_is_set_again(floor: Floor) -> None:
    floor.live.switch.forget_marks()
    assert not floor.is_marked("1007")
    await floor.until_states(STATES)


async def test_every_step_is_in_the_table_in_order_also_over_a_restart(
    floor: Floor, owner: Connection
) -> None:
    await floor.live.restart()
    await floor.until_states(STATES | {"1003": AgentState.READY})
    await floor.free_all()
    wanted = [
        ("offline", "marked_ready", "ready"),  # found unpaused, and the phone there
        ("ready", "bridge_started", "ready"),
        ("ready", "ring", "ringing"),
        ("ringing", "answer", "talking"),
        ("talking", "call_over", "wrap_up"),
        ("offline", "found", "wrap_up"),
        ("wrap_up", "bridge_started", "wrap_up"),
        ("wrap_up", "wrapped_up", "ready"),
    ]
    steps = "SELECT old, event, new FROM agent_moves WHERE agent = '1007' ORDER BY number"
    assert await rows(owner, steps, least=len(wanted)) == wanted
    calls = await owner.fetch("SELECT DISTINCT call_id FROM agent_moves WHERE new = 'wrap_up'")
    assert {row["call_id"] for row in calls} >= {floor.calls["1007"], floor.calls["1006"]}
