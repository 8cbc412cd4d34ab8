"""Whoever hangs up, and whenever: nothing stays behind (the conftest looks after each test)."""

import asyncio
import re

import pytest

from telephony.phone import CallState, answer_after
from tests.asterisk.manager import BareManager
from tests.asterisk.people import Admission, People
from tests.asterisk.switch import PROMPT_HZ, Switch, until, until_heard


@pytest.mark.parametrize("prompt", ["hotline/greeting", "hotline/emergency-hint"])
async def test_caller_hangs_up_during_the_greeting(
    people: People, manager: BareManager, prompt: str
) -> None:
    call = await (await people.citizen()).call("12345")
    await until_heard(call, PROMPT_HZ[prompt])
    await call.hangup()
    arrived = await manager.until("CallArrived")
    await manager.until("Hangup", Uniqueid=arrived["Call"])


async def test_caller_hangs_up_while_the_product_thinks(
    people: People, admission: Admission, manager: BareManager
) -> None:
    admission.text = None
    call = await (await people.citizen()).call("12345")
    await until(lambda: admission.questions, why="admission is asked")
    await call.hangup()
    await manager.until("Hangup", timeout_s=5)
    assert not manager.named("QueueCallerJoin")


async def test_caller_hangs_up_while_waiting(people: People, manager: BareManager) -> None:
    call = await (await people.citizen()).call("12345")
    await manager.until("QueueCallerJoin", timeout_s=8)
    await call.hangup()
    await manager.until("QueueCallerAbandon")


async def test_caller_hangs_up_while_an_agent_rings(people: People, manager: BareManager) -> None:
    agent = await people.agent("1001")
    call = await (await people.citizen()).call("12345")
    ringing = await agent.until_ringing(8)
    await call.hangup()
    await ringing.until_ended(5)
    assert ringing.end_status == 487
    await manager.until("QueueCallerLeave")


@pytest.mark.parametrize("who", ["citizen", "agent"])
async def test_either_side_ends_the_conversation(
    people: People, manager: BareManager, who: str
) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    call = await (await people.citizen()).call("12345")
    taken = await agent.until_ringing(8)
    await manager.until("AgentConnect")
    ends, other = (call, taken) if who == "citizen" else (taken, call)
    await ends.hangup()
    await other.until_ended(5)
    assert other.end_status == 200


async def test_agent_who_hangs_up_at_once_after_answering_leaves_nothing(people: People) -> None:
    agent = await people.agent("1001")
    call = await (await people.citizen()).call("12345")
    ringing = await agent.until_ringing(8)
    answering = asyncio.create_task(ringing.answer())
    await ringing.until(CallState.UP, timeout_s=5)
    await ringing.hangup()
    await answering
    await call.hangup()


async def test_caller_hangs_up_in_the_emergency_menu(people: People) -> None:
    call = await (await people.citizen()).call("12345")
    await until_heard(call, PROMPT_HZ["hotline/greeting"])
    call.send_digit("9")
    await until_heard(call, PROMPT_HZ["hotline/emergency-menu"])
    await call.hangup()


async def test_caller_hangs_up_before_the_emergency_line_answers(people: People) -> None:
    exchange = await people.exchange()
    call = await (await people.citizen()).call("110")
    ringing = await exchange.until_ringing(5)
    await call.hangup()
    await ringing.until_ended(5)


async def test_phone_that_vanishes_in_a_call_does_not_hold_the_caller_for_ever(
    asterisk: Switch,
) -> None:
    listing = asterisk.cli("pjsip show endpoint 1001")
    assert "rtp_timeout                        : 60" in listing


@pytest.mark.parametrize("trunk", ["emergency", "emergency-2"])
async def test_an_emergency_line_that_listens_in_silence_is_not_hung_up_on(
    asterisk: Switch, trunk: str
) -> None:
    listing = await asterisk.ask(f"pjsip show endpoint {trunk}")
    assert re.search(r"rtp_timeout +: 0\n", listing), listing


async def test_an_agent_on_hold_loses_nothing(people: People) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    call = await (await people.citizen()).call("12345")
    taken = await agent.until_ringing(8)
    await taken.until(CallState.UP, timeout_s=5)
    await taken.hold(True)
    await taken.hold(False)
    await call.hangup()
    await taken.until_ended(5)
