"""The virtual caller of a return call, on real Asterisk: agent first, the citizen once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from base.ids import CallId
from telephony import actions
from telephony.events import CallAnswered, CallArrived, CallEnded, LinkChanged, SwitchEvent
from telephony.marks import MarkKind, read_marks
from telephony.naming import began_at
from telephony.phone import CallState, answer_after
from telephony.switch import AsteriskSwitch
from tests.asterisk.manager import BareManager
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, People, voice
from tests.asterisk.switch import PROMPT_HZ, Switch, until, until_heard


async def call_back(
    manager: BareManager, call: str, number: str, place: int | None = None
) -> dict[str, str]:
    action = actions.call_back(CallId(call), number, "hotline", place, wait_s=30)
    variables = [value for name, value in action.headers if name == "Variable"]
    fields = {name: value for name, value in action.headers if name != "Variable"}
    return await manager.action(action.name, **fields, Variable=",".join(variables))


async def test_agent_is_rung_first_and_the_citizen_hears_us_at_once(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    outside = await people.outside()
    outside.on_ring(answer_after(0))
    call = "hotline-return1-1795770001.0"
    assert (await call_back(manager, call, "13800000201"))["Response"] == "Success"
    joined = await manager.until("QueueCallerJoin")
    assert (joined["Uniqueid"], joined["CallerIDNum"]) == (call, "13800000201")
    assert not outside.calls, "nobody is dialled before an agent has taken it"
    # The same again changes nothing: Asterisk knows the call by its name.
    await call_back(manager, call, "13800000201")
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0, play=voice(AGENT_HZ)))
    taken = await agent.until_ringing(8)
    assert taken.number == "13800000201"
    citizen = await outside.until_ringing(8)
    assert citizen.dialled == "13800000201"
    assert citizen.number == "12345", "the centre's number is shown"
    await until_heard(citizen, PROMPT_HZ["hotline/return-notice"])
    citizen.play(voice(CITIZEN_HZ))
    await until_heard(taken, CITIZEN_HZ)
    await until_heard(citizen, AGENT_HZ)
    # A second one to a number that is being talked with is refused by the dialplan.
    second = "hotline-return2-1795770002.0"
    await call_back(manager, second, "13800000201")
    other = await people.agent("1002")
    other.on_ring(answer_after(0))
    again = await other.until_ringing(8)
    await until_heard(again, PROMPT_HZ["hotline/return-no-answer"], timeout_s=8)
    await again.until_ended(5)
    assert len([*outside.calls, *outside.past_calls]) == 1
    await citizen.hangup()
    await taken.until_ended(5)
    since = began_at(CallId(joined["Linkedid"])) or began_at(CallId(call))
    assert since is not None
    told = read_marks(asterisk.config.log_dir, since)
    marks = [(m.call, m.kind) for m in told if m.call in (call, second)]
    assert marks == [(call, MarkKind.RETURN_DIALLED), (call, MarkKind.RETURN_ANSWERED)]


async def test_the_product_sees_a_return_call_as_a_call_also_when_it_starts_in_the_middle(
    people: People, asterisk: Switch
) -> None:
    outside = await people.outside()
    outside.on_ring(answer_after(0))
    agent = await people.agent("1001")
    call = CallId("hotline-return5-1795770005.0")
    told: list[SwitchEvent] = []
    async with follow(asterisk, told) as switch:
        await switch.call_back(call, "13800000205", "hotline", None, wait_s=30)
        await agent.until_ringing(8)
        (ringing,) = agent.calls
        await ringing.answer()
        citizen = await outside.until_ringing(8)
        await citizen.until(CallState.UP, timeout_s=5)
        await until(lambda: any(isinstance(each, CallAnswered) for each in told), timeout_s=8)
    names = [type(each).__name__ for each in told if getattr(each, "call", None) == call]
    assert names == ["CallArrived", "CallQueued", "AgentRinging", "CallAnswered"]
    later: list[SwitchEvent] = []
    async with follow(asterisk, later):
        arrived = next(each for each in later if isinstance(each, CallArrived))
        assert (arrived.call, arrived.caller_number) == (call, "13800000205")
        assert arrived.called_number == "return"
        answered = next(each for each in later if isinstance(each, CallAnswered))
        assert (answered.call, answered.agent) == (call, "1001")
        await citizen.hangup()
        await until(lambda: any(isinstance(each, CallEnded) for each in later), timeout_s=8)
    await ringing.until_ended(5)


@asynccontextmanager
async def follow(asterisk: Switch, told: list[SwitchEvent]) -> AsyncIterator[AsteriskSwitch]:
    """A product that follows Asterisk, from the moment at which it knows all there is."""
    switch = AsteriskSwitch(
        host="127.0.0.1", port=asterisk.ami_port, username="hotline", secret=asterisk.secret
    )

    async def listen() -> None:
        async for event in switch.events():
            told.append(event)  # noqa: PERF401 - each as it comes

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(switch.run())
        tasks.create_task(listen())
        await until(lambda: any(isinstance(each, LinkChanged) for each in told), timeout_s=8)
        yield switch
        switch.close()


async def test_citizen_who_is_not_reached_is_marked_and_the_agent_told(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    outside = await people.outside()
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    call = "hotline-return3-1795770003.0"
    await call_back(manager, call, "13800000202")
    taken = await agent.until_ringing(8)
    await outside.until_ringing(8)
    await until_heard(taken, PROMPT_HZ["hotline/return-no-answer"], timeout_s=10)
    await taken.until_ended(5)
    marked = await manager.until("CallMarked", Kind="return_failed")
    assert (marked["Call"], marked["Value"]) == (call, "NOANSWER")


async def test_virtual_caller_stands_at_its_place_among_those_who_wait(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    # The agent is there and takes no call yet: whoever waits, waits on.
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    await people.pause("1001")
    callers = []
    for n in range(3):
        callers.append(await (await people.citizen(f"1380000021{n}")).call("12345"))
        await until(lambda n=n: len(manager.named("QueueCallerJoin")) > n, timeout_s=8)  # type: ignore[misc]
    await call_back(manager, "hotline-return4-1795770004.0", "13800000299", 2)
    joined = await manager.until("QueueCallerJoin", CallerIDNum="13800000299")
    assert joined["Position"] == "2"
    await people.outside()
    await asterisk.ask("queue unpause member PJSIP/1001")
    taken = await agent.until_ringing(8)
    assert taken.number == "13800000210"
    await manager.until("AgentConnect", CallerIDNum="13800000210")
    await callers[0].hangup()
    await taken.until_ended(5)
    taken = await agent.until_ringing(8)
    assert taken.number == "13800000299"
    await manager.until("AgentConnect", CallerIDNum="13800000299")
    await taken.hangup()
    for caller in callers[1:]:
        await caller.hangup()
