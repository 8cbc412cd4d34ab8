"""Queues, skills, overflow, nobody there, satisfaction: by Asterisk, with the product dead."""

import asyncio
import functools
import tempfile
from collections.abc import Sized
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from telephony import process
from telephony.books import QUEUE_LOG, read_book
from telephony.config import render
from telephony.naming import began_at
from telephony.phone import CallState, PhoneCall, answer_after, ignore
from telephony.tree import AsteriskTree
from tests.asterisk.manager import BareManager, seconds_between
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, Admission, People, voice
from tests.asterisk.switch import PROMPT_HZ, Switch, start_switch, until, until_heard


def has_more_than(things: Sized, count: int) -> bool:
    return len(things) > count


def has_connected(manager: BareManager, count: int) -> bool:
    """Whether Asterisk has taken more answers than that."""
    return len(manager.named("AgentConnect")) > count


@pytest.mark.requirement("R012", city="taian_draft")
async def test_best_skill_rings_first_and_the_circle_grows_with_waiting(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    for number in ("1001", "1002", "1003"):
        await people.agent(number)
    call = await (await people.citizen()).call("12348")
    joined = await manager.until("QueueCallerJoin", timeout_s=8)
    assert joined["Queue"] == "law"
    rung: dict[str, float] = {}
    for number in ("1001", "1002", "1003"):
        called = await manager.until("AgentCalled", Interface=f"PJSIP/{number}", timeout_s=12)
        rung[number] = seconds_between(joined, called)
    assert list(rung) == sorted(rung, key=lambda each: rung[each])
    # 1002 was free all the time: only the waiting opened the circle to the second level.
    assert rung["1001"] < 1.5
    assert rung["1002"] > 3.0
    assert rung["1003"] > 6.0
    # Who did not answer is not rung again.
    assert "paused:Auto-Pause" in await asterisk.ask("queue show law")
    assert len(manager.named("AgentCalled", Interface="PJSIP/1001")) == 1
    assert not manager.named("QueueCallerLeave")
    await call.hangup()


async def test_missed_ring_pauses_the_agent_and_the_caller_stays_first(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    silent = await people.agent("1001")
    first = await (await people.citizen("13800000051")).call("12345")
    await manager.until("QueueCallerJoin", CallerIDNum="13800000051")
    second = await (await people.citizen("13800000052")).call("12345")
    await manager.until("QueueCallerJoin", CallerIDNum="13800000052")
    await manager.until("QueueMemberPause", Interface="PJSIP/1001", timeout_s=12)
    listing = await asterisk.ask("queue show hotline")
    assert "Auto-Pause" in listing
    ready = await people.agent("1002")
    ready.on_ring(answer_after(0))
    taken = await ready.until_ringing(8)
    assert taken.number == "13800000051"
    await first.hangup()
    await taken.until_ended(5)
    next_taken = await ready.until_ringing(8)
    assert next_taken.number == "13800000052"
    assert not silent.calls, "who does not answer is left alone"
    await second.hangup()


async def test_longest_idle_of_the_able_is_rung(people: People, admission: Admission) -> None:
    agents = {number: await people.agent(number) for number in ("1001", "1002")}
    turns: list[str] = []

    def takes(number: str) -> None:
        async def policy(call: PhoneCall) -> None:
            turns.append(number)
            await call.answer()

        agents[number].on_ring(policy)

    for number in agents:
        takes(number)
    for turn in range(4):
        citizen = await people.citizen(f"1380000006{turn}")
        call = await citizen.call("12345")
        await until(functools.partial(has_more_than, turns, turn), timeout_s=8)
        await asyncio.sleep(1.1)  # Asterisk counts rest in whole seconds
        await call.hangup()
        await until(lambda: not any(agent.calls for agent in agents.values()))
    assert sorted(turns[:2]) == sorted(agents)
    assert turns[2:] == turns[:2]


async def test_one_agent_in_two_queues_is_rung_by_one_call_at_a_time(
    people: People, manager: BareManager
) -> None:
    agent = await people.agent("1001")
    most = 0
    taken: list[PhoneCall] = []

    async def policy(call: PhoneCall) -> None:
        nonlocal most
        most = max(most, len(agent.calls))
        taken.append(call)
        await asyncio.sleep(0.5)
        await call.answer()

    agent.on_ring(policy)
    numbers = ("12345", "12348", "12345", "12348")
    citizens = [await people.citizen(f"1380000007{n}") for n in range(4)]
    calls = await asyncio.gather(*(c.call(n) for c, n in zip(citizens, numbers, strict=True)))
    for served in range(4):
        await until(functools.partial(has_more_than, taken, served), timeout_s=15)
        await until(functools.partial(has_connected, manager, served), why="it is answered")
        caller = next(c for c, p in zip(calls, citizens, strict=True) if p.user == taken[-1].number)
        await caller.hangup()
        await taken[-1].until_ended(5)
    assert most == 1


async def test_nobody_able_rings_the_neighbour_then_the_phone_on_duty_who_takes_it_by_key(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    outside = await people.outside()
    asked: list[str] = []
    answered: list[PhoneCall] = []

    async def policy(call: PhoneCall) -> None:
        asked.append(call.dialled)
        if call.dialled.startswith("0571"):
            call.reject(486)
            return
        await call.answer()
        answered.append(call)

    outside.on_ring(policy)
    call = await (await people.citizen()).call("12301")
    await until(lambda: answered, timeout_s=15, why=f"the phone on duty answers: {asked}")
    assert asked[0] == "057112345"
    duty = answered[0]
    await until(lambda: duty.heard_pcm.size > 0)
    await until_heard(duty, 300.0)
    duty.send_digit("1")
    duty.play(voice(AGENT_HZ))
    call.play(voice(CITIZEN_HZ))
    await until_heard(call, AGENT_HZ, timeout_s=8)
    await until_heard(duty, CITIZEN_HZ)
    assert not manager.named("QueueCallerAbandon")
    await call.hangup()
    await duty.until_ended(5)
    # A line that failed gets its chance again with the next caller.
    again = await (await people.citizen("13800000122")).call("12301")
    await until(lambda: asked.count("057112345") == 2, timeout_s=8)
    await again.hangup()


async def test_a_call_that_we_sent_out_and_that_comes_back_is_not_sent_out_again(
    people: People, manager: BareManager
) -> None:
    outside = await people.outside()
    outside.on_ring(answer_after(0))
    citizen = await people.citizen("13800000081")
    first = await citizen.call("12301")
    there = await outside.until_ringing(10)
    await there.until(CallState.UP, timeout_s=5)
    back = await citizen.call("12301")
    await until_heard(back, PROMPT_HZ["hotline/nobody-there"], timeout_s=12)
    assert len([*outside.calls, *outside.past_calls]) == 1
    await back.hangup()
    await first.hangup()
    await there.until_ended(5)


async def test_nobody_there_is_said_and_a_message_can_be_left_with_the_emergency_key_working(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    silent = await (await people.citizen("13800000091")).call("12345")
    chooser = await (await people.citizen("13800000092")).call("12345")
    rescued = await (await people.citizen("13800000093")).call("12345")
    returned = await (await people.citizen("13800000094")).call("12345")
    calls = (silent, chooser, rescued, returned)
    joined = {
        number: await manager.until("QueueCallerJoin", CallerIDNum=number, timeout_s=8)
        for number in ("13800000091", "13800000092", "13800000093", "13800000094")
    }
    keys = {chooser: "3", rescued: "9", returned: "2"}

    async def choose(call: PhoneCall) -> None:
        await until_heard(call, PROMPT_HZ["hotline/nobody-there"], timeout_s=12)
        if key := keys.get(call):
            call.send_digit(key)

    await asyncio.gather(*(choose(call) for call in calls))
    await until_heard(rescued, PROMPT_HZ["hotline/emergency-menu"])
    await until_heard(returned, PROMPT_HZ["hotline/return-accepted"])
    await returned.until_ended(5)
    for call in (silent, chooser):
        await until_heard(call, PROMPT_HZ["hotline/voicemail"], timeout_s=8)
        call.play(voice(CITIZEN_HZ))
    of_silent = joined["13800000091"]["Uniqueid"]
    await manager.until("CallMarked", Call=of_silent, Kind="voicemail")
    await silent.hangup()
    # In the middle of the message: help is one key away.
    chooser.send_digit("9")
    await until_heard(chooser, PROMPT_HZ["hotline/emergency-menu"])
    for call in (chooser, rescued):
        await call.hangup()
    begun = began_at(of_silent)  # type: ignore[arg-type]
    assert begun is not None
    rows = read_book(asterisk.config.log_dir, QUEUE_LOG, since=begun)
    marks = {(row[1], row[5]) for row in rows if row[4] == "MARK"}
    assert (of_silent, "voicemail") in marks
    assert (joined["13800000094"]["Uniqueid"], "return_asked") in marks


async def test_return_call_is_asked_for_by_key_while_waiting(
    people: People, manager: BareManager
) -> None:
    known = await (await people.citizen("13800000101")).call("12345")
    await manager.until("QueueCallerJoin", timeout_s=8)
    hidden = await (await people.citizen("anonymous")).call("12345")
    await until(lambda: len(manager.named("QueueCallerJoin")) == 2, timeout_s=8)
    known.send_digit("2")
    hidden.send_digit("2")
    await until_heard(known, PROMPT_HZ["hotline/return-accepted"])
    await known.until_ended(5)
    # Without a number nobody can call back: the caller is told and waits on.
    await until(lambda: len(manager.named("QueueCallerJoin")) == 3, timeout_s=8)
    assert hidden.state is CallState.UP
    assert len(manager.named("CallMarked", Kind="return_asked")) == 1
    await hidden.hangup()


async def test_a_queue_outside_its_hours_sends_its_callers_to_the_one_that_stands_in(
    people: People, manager: BareManager
) -> None:
    call = await (await people.citizen()).call("12302")
    joined = await manager.until("QueueCallerJoin", timeout_s=8)
    assert joined["Queue"] == "law"
    await call.hangup()


async def test_a_caller_whose_queue_a_reload_takes_away_waits_on_in_the_first(
    asterisk_tree: AsteriskTree,
) -> None:
    with tempfile.TemporaryDirectory(prefix="hotline-away-") as home:
        switch = start_switch(asterisk_tree, Path(home), system_name="away", look_every_s=4)
        try:
            async with AsyncExitStack() as stack:
                people = People(switch, stack)
                manager = await stack.enter_async_context(BareManager(switch.ami_port))
                await manager.login(switch.secret)
                await people.agent("1001")
                call = await (await people.citizen()).call("12348")
                await manager.until("QueueCallerJoin", Queue="law")
                left = tuple(q for q in switch.config.queues if q.name not in ("law", "shut"))
                render(replace(switch.config, queues=left))
                await switch.ask("core reload")
                await manager.until("QueueCallerJoin", Queue="hotline", timeout_s=20)
                assert call.state is CallState.UP
                await call.hangup()
        finally:
            process.stop(switch.config)


async def test_agent_sends_a_caller_to_a_special_queue_by_its_code(
    people: People, manager: BareManager
) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    call = await (await people.citizen()).call("12345")
    taken = await agent.until_ringing(8)
    await manager.until("AgentConnect")
    assert taken.state is CallState.UP
    for digit in "##801":
        taken.send_digit(digit)
    joined = await manager.until("QueueCallerJoin", Queue="law", timeout_s=8)
    assert joined["Uniqueid"] == manager.named("QueueCallerJoin")[0]["Uniqueid"]
    await call.hangup()


async def test_a_caller_sent_to_another_queue_lines_up_behind_who_waits_there(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    agent = await people.agent("1001")
    await people.pause("1001")
    agent.on_ring(answer_after(0))
    call = await (await people.citizen("13800000131")).call("12345")
    # Looked at once and back at the old place: the first.
    await until(lambda: len(manager.named("QueueCallerJoin")) == 2, timeout_s=20)
    await asterisk.ask("queue unpause member PJSIP/1001")
    taken = await agent.until_ringing(8)
    await manager.until("AgentConnect")
    other = await (await people.citizen("13800000132")).call("12348")
    await manager.until("QueueCallerJoin", Queue="law")
    agent.on_ring(ignore())
    for digit in "##801":
        taken.send_digit(digit)
    in_law = functools.partial(manager.named, "QueueCallerJoin", Queue="law")
    await until(lambda: len(in_law()) == 2)
    assert [each["Position"] for each in in_law()] == ["1", "2"]
    for each in (call, other):
        await each.hangup()


async def test_satisfaction_is_asked_after_the_agent_has_gone_and_holds_nobody(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    call = await (await people.citizen("13800000111")).call("12345")
    taken = await agent.until_ringing(8)
    await manager.until("AgentConnect")
    joined = manager.named("QueueCallerJoin")[0]
    await taken.hangup()
    # Free for the next caller while the first still hears the question.
    other = await (await people.citizen("13800000112")).call("12345")
    await until_heard(call, PROMPT_HZ["hotline/satisfaction"])
    call.send_digit("2")
    marked = await manager.until("CallMarked", Kind="satisfaction")
    assert (marked["Call"], marked["Value"]) == (joined["Uniqueid"], "2")
    await until_heard(call, PROMPT_HZ["hotline/satisfaction-thanks"])
    await call.until_ended(5)
    next_taken = await agent.until_ringing(8)
    assert next_taken.number == "13800000112"
    await other.hangup()
