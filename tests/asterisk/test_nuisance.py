"""Suspended and frequent callers on a real Asterisk: what they hear; 110 is always there."""

import pytest

from telephony.phone import CallState, PhoneCall, answer_after
from tests.asterisk.manager import BareManager
from tests.asterisk.people import AGENT_HZ, Admission, People, voice
from tests.asterisk.switch import PROMPT_HZ, hears, until, until_heard

SUSPENDED = "queue=hotline&priority=0&prompt=suspended-use-23"
OFTEN = "queue=hotline&priority=0&prompt=often"
KEY = "9"


async def suspended_call(people: People, admission: Admission, number: str) -> PhoneCall:
    admission.text = SUSPENDED
    call = await (await people.citizen(number)).call("12345")
    await until_heard(call, PROMPT_HZ["hotline/suspended-use"], timeout_s=8)
    return call


@pytest.mark.requirement("R120")
async def test_suspended_caller_hears_why_and_which_ways_are_open_and_then_the_call_ends(
    people: People, admission: Admission, manager: BareManager
) -> None:
    agent = await people.agent("1001")
    call = await suspended_call(people, admission, "13800000061")
    for prompt in ("hotline/suspended-ways", "hotline/emergency-hint"):
        await until_heard(call, PROMPT_HZ[prompt])
    await call.until_ended(12)
    assert not manager.named("QueueCallerJoin")
    assert not agent.calls


async def test_suspended_caller_who_chooses_no_line_gets_to_an_agent(
    people: People, admission: Admission
) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0, play=voice(AGENT_HZ)))
    call = await suspended_call(people, admission, "13800000063")
    call.send_digit(KEY)
    await until_heard(call, AGENT_HZ, timeout_s=10)
    await call.hangup()


async def test_suspended_caller_who_dials_110_is_asked_nothing(
    people: People, admission: Admission
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    admission.text = SUSPENDED
    call = await (await people.citizen("13800000064")).call("110")
    line = await exchange.until_ringing(8)
    await call.until_answered(5)
    assert (line.number, admission.questions) == ("13800000064", [])
    await call.hangup()


@pytest.mark.parametrize("product", ["alive", "dead since the answer"])
async def test_objection_is_taken_by_key_or_said_not_to_be(
    people: People, admission: Admission, product: str
) -> None:
    call = await suspended_call(people, admission, "13800000065")
    if product != "alive":
        await admission.stop()
    call.send_digit("1")
    if product == "alive":
        await until_heard(call, PROMPT_HZ["hotline/objection-kept"])
        asked = next(each for each in admission.questions if each.get("what") == "objection")
        assert asked["number"] == "13800000065"
        call.send_digit("#")
    else:
        await until_heard(call, PROMPT_HZ["hotline/objection-not-kept"])
    await call.until_ended(10)


async def test_frequent_caller_waits_behind_others_for_a_time_and_then_as_everybody(
    people: People, admission: Admission, manager: BareManager
) -> None:
    # Somebody is there and takes no call: whoever waits, waits on.
    await people.agent("1001")
    await people.pause("1001")
    admission.text = OFTEN
    often = await (await people.citizen("13800000071")).call("12345")
    await until_heard(often, PROMPT_HZ["hotline/often"], timeout_s=8)
    await manager.until("QueueCallerJoin", CallerIDNum="13800000071", timeout_s=8)
    admission.text = "queue=hotline&priority=0&prompt="
    second = await (await people.citizen("13800000072")).call("12345")
    passed = await manager.until("QueueCallerJoin", CallerIDNum="13800000072", timeout_s=8)
    assert passed["Position"] == "1"
    # Six seconds, and the frequent caller is one of the queue: nobody passes any more.

    def has_aged() -> bool:
        return len(manager.named("QueueCallerJoin", CallerIDNum="13800000071")) > 1

    await until(has_aged, why="the caller aged")
    third = await (await people.citizen("13800000073")).call("12345")
    last = await manager.until("QueueCallerJoin", CallerIDNum="13800000073", timeout_s=8)
    assert last["Position"] == "3"
    for call in (often, second, third):
        await call.hangup()


async def test_frequent_caller_may_hear_progress_and_gets_to_an_agent(
    people: People, admission: Admission
) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0, play=voice(AGENT_HZ)))
    admission.text = OFTEN
    call = await (await people.citizen("13800000074")).call("12345")
    await until_heard(call, PROMPT_HZ["hotline/often"], timeout_s=8)
    call.send_digit("1")
    await until_heard(call, PROMPT_HZ["hotline/progress-open"])
    await until_heard(call, AGENT_HZ, timeout_s=8)
    await call.hangup()


async def test_call_ended_by_the_rules_is_told_so_and_the_key_still_works(
    people: People, admission: Admission, manager: BareManager
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    call = await (await people.citizen("13800000076")).call("12345")
    taken = await agent.until_ringing(8)
    await taken.until(CallState.UP, timeout_s=5)
    channel = (await manager.until("AgentConnect", timeout_s=8))["Channel"]
    await manager.action(
        "Redirect", Channel=channel, Context="ended-by-rules", Exten="s", Priority="1"
    )
    await until_heard(call, PROMPT_HZ["hotline/ended-by-rules"])
    await taken.until_ended(5)
    call.send_digit(KEY)
    await until_heard(call, PROMPT_HZ["hotline/emergency-menu"])
    call.send_digit("4")
    assert (await exchange.until_ringing(8)).dialled == "122"
    assert not hears(call.heard_pcm, PROMPT_HZ["hotline/satisfaction"])
    await call.hangup()
