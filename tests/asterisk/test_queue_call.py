"""A citizen calls 12345 and an agent answers: the ordinary way, on real Asterisk."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest

from telephony.events import Outcome
from telephony.past_calls import PastCall, read_past_calls
from telephony.phone import CallState, PhoneError, answer_after, reject_with
from tests.asterisk.manager import BareManager
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, Admission, People, voice
from tests.asterisk.switch import PROMPT_HZ, Switch, hears, until, until_heard


async def test_citizen_and_agent_hear_each_other(people: People, admission: Admission) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0.1, play=voice(AGENT_HZ)))
    citizen = await people.citizen()
    call = await citizen.call("12345")
    await call.until_answered(5)
    ringing = await agent.until_ringing(10)
    await ringing.until(CallState.UP, timeout_s=5)
    call.play(voice(CITIZEN_HZ))
    await until_heard(call, AGENT_HZ)
    await until_heard(ringing, CITIZEN_HZ)
    assert not hears(ringing.heard_pcm, PROMPT_HZ["hotline/greeting"])
    await call.hangup()
    await ringing.until_ended(5)
    assert call.stats.received > 50


async def test_greeting_and_recording_notice_are_heard_before_the_agent(
    people: People, admission: Admission
) -> None:
    citizen = await people.citizen()
    call = await citizen.call("12345")
    for prompt in ("hotline/greeting", "hotline/recording-notice", "hotline/emergency-hint"):
        await until_heard(call, PROMPT_HZ[prompt])
    await call.hangup()


@pytest.mark.parametrize(
    "name",
    ["张三,Queue: x", "张三(手机", "a)b(:1:0"],
    ids=["comma", "open bracket", "brackets"],
)
async def test_product_is_told_of_the_call_in_words_that_cannot_be_forged(
    people: People, admission: Admission, manager: BareManager, name: str
) -> None:
    citizen = await people.citizen("13800000002", name=name)
    call = await citizen.call("12345")
    told = await manager.until("CallArrived")
    assert unquote(told["Number"]) == "13800000002"
    assert unquote(told["Name"]) == name
    assert "Queue" not in told
    assert told["Called"] == "12345"
    assert told["Call"].startswith("test-")
    await until(lambda: admission.questions, why="admission is asked")
    assert admission.questions == [
        {"number": "13800000002", "called": "12345", "call": told["Call"]}
    ]
    joined = await manager.until("QueueCallerJoin", Uniqueid=told["Call"])
    assert joined["Queue"] == "hotline"
    await call.hangup()
    gone = await manager.until("CallGone", Call=told["Call"])
    assert gone["Recording"] == f"{told['Call']}.raw"


@pytest.mark.parametrize("number", ["1%29%3A0%3A1", "a%22%2Cb", "%28%28"])
async def test_books_keep_their_form_whatever_stands_for_a_number(
    people: People, manager: BareManager, asterisk: Switch, number: str
) -> None:
    call = await (await people.citizen(number)).call("12345")
    told = await manager.until("CallArrived")
    await manager.until("QueueCallerJoin")
    await call.hangup()
    await manager.until("CallGone", Call=told["Call"])
    begun = datetime.now(UTC) - timedelta(minutes=1)

    def in_books() -> PastCall | None:
        calls = read_past_calls(asterisk.config.log_dir, begun)
        return next((each for each in calls if each.call == told["Call"]), None)

    await until(lambda: (past := in_books()) is not None and past.ended_at is not None)
    past = in_books()
    assert past is not None
    assert (past.called_number, past.outcome) == ("12345", Outcome.ABANDONED)


async def test_agent_who_does_not_answer_is_followed_by_the_next(
    people: People, admission: Admission
) -> None:
    first, second = await people.agent("1001"), await people.agent("1002")
    citizen = await people.citizen()
    call = await citizen.call("12345")
    rung = [asyncio.create_task(phone.until_ringing(10)) for phone in (first, second)]
    done, waiting = await asyncio.wait(rung, return_when=asyncio.FIRST_COMPLETED)
    ignored = done.pop().result()
    await ignored.until_ended(5)
    (other,) = waiting
    taken = await other
    await taken.answer()
    call.play(voice(CITIZEN_HZ))
    await until_heard(taken, CITIZEN_HZ)
    assert ignored.end_status == 487
    await taken.hangup()
    await call.until_ended(10)


async def test_agent_who_declines_is_followed_by_the_next(
    people: People, admission: Admission
) -> None:
    first, second = await people.agent("1001"), await people.agent("1002")
    first.on_ring(reject_with(486))
    second.on_ring(answer_after(0))
    citizen = await people.citizen()
    call = await citizen.call("12345")
    taken = await second.until_ringing(15)
    await taken.until(CallState.UP, timeout_s=5)
    await call.hangup()


async def test_caller_waits_with_nobody_signed_in_until_somebody_is(
    people: People, admission: Admission, manager: BareManager
) -> None:
    citizen = await people.citizen()
    call = await citizen.call("12345")
    await manager.until("QueueCallerJoin")
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    taken = await agent.until_ringing(10)
    await taken.until(CallState.UP, timeout_s=5)
    await call.hangup()


async def test_second_caller_hears_a_position_and_music(
    people: People, admission: Admission, manager: BareManager
) -> None:
    citizens = [await people.citizen(f"1380000001{n}") for n in range(2)]
    calls = [await citizen.call("12345") for citizen in citizens]
    await until(lambda: len(manager.named("QueueCallerJoin")) == 2)
    counts = sorted(each["Count"] for each in manager.named("QueueCallerJoin"))
    assert counts == ["1", "2"]
    await until(
        lambda: any(hears(call.heard_pcm, 300.0) for call in calls), why="a position is said"
    )
    for call in calls:
        await call.hangup()


async def test_wrong_sip_password_is_refused(people: People, asterisk: Switch) -> None:
    stranger = await people.citizen("1001")
    with pytest.raises(PhoneError, match="registration was refused"):
        await stranger.register()
