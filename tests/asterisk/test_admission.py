"""The one question at call entry: whatever comes back, or nothing, the caller gets to an agent."""

import pytest

from telephony.phone import CallState, answer_after
from tests.asterisk.manager import BareManager, seconds_between
from tests.asterisk.people import Admission, People
from tests.asterisk.switch import PROMPT_HZ, hears, until_heard

PROMPTS_S = 1.2
HUNG_LIMIT_S = 1.6

GARBAGE = [
    "",
    "queue=nowhere&priority=0&prompt=",
    "queue=hotline",
    " queue=hotline&priority=9&prompt=",
    "queue=hotline&priority=9&prompt=\nqueue=x",
    "queue=hotline&priority=-1&prompt=",
    "queue=hotline&priority=100000&prompt=",
    "queue=hotline&priority=9&prompt=../../etc/passwd",
    "queue=${SHELL(id)}&priority=9&prompt=",
    'queue=hotline" & 1 = 1 | "&priority=9&prompt=',
    "<html><body>502</body></html>",
    "]]))}}$[1/0]",
    "x" * 200_000,
    "队列=热线",
]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_is_ignored(
    people: People, admission: Admission, manager: BareManager, text: str
) -> None:
    admission.text = text
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    citizen = await people.citizen()
    call = await citizen.call("12345")
    taken = await agent.until_ringing(8)
    await taken.until(CallState.UP, timeout_s=5)
    joined = await manager.until("QueueCallerJoin")
    assert joined["Queue"] == "hotline"
    priority = await manager.action("Getvar", Channel=joined["Channel"], Variable="QUEUE_PRIO")
    assert priority["Value"] == "0"
    await call.hangup()


async def test_dead_product_costs_the_caller_nothing(people: People, manager: BareManager) -> None:
    citizen = await people.citizen()
    call = await citizen.call("12345")
    joined = await manager.until("QueueCallerJoin", timeout_s=8)
    arrived = await manager.until("CallArrived")
    assert seconds_between(arrived, joined) - PROMPTS_S < 1.3
    assert manager.named("AdmissionFailed")
    await call.hangup()


async def test_caller_of_an_asterisk_whose_secret_is_old_goes_the_way_without_a_product(
    people: People, admission: Admission, manager: BareManager
) -> None:
    admission.secret = "made-anew-since"
    admission.text = "queue=law&priority=5&prompt="
    call = await (await people.citizen()).call("12345")
    joined = await manager.until("QueueCallerJoin", timeout_s=8)
    assert joined["Queue"] == "hotline"
    assert manager.named("AdmissionFailed")
    assert not admission.questions
    await call.hangup()


async def test_hung_product_costs_the_caller_about_a_second(
    people: People, admission: Admission, manager: BareManager
) -> None:
    admission.text = None
    citizen = await people.citizen()
    call = await citizen.call("12345")
    joined = await manager.until("QueueCallerJoin", timeout_s=8)
    arrived = await manager.until("CallArrived")
    assert seconds_between(arrived, joined) - PROMPTS_S < HUNG_LIMIT_S
    await call.hangup()


async def test_priority_puts_a_caller_before_others(
    people: People, admission: Admission, manager: BareManager
) -> None:
    first = await (await people.citizen("13800000031")).call("12345")
    await manager.until("QueueCallerJoin", CallerIDNum="13800000031")
    admission.text = "queue=hotline&priority=5&prompt="
    second = await (await people.citizen("13800000032")).call("12345")
    joined = await manager.until("QueueCallerJoin", CallerIDNum="13800000032")
    assert joined["Position"] == "1"
    await first.hangup()
    await second.hangup()


async def test_prompt_is_played_before_the_queue(people: People, admission: Admission) -> None:
    admission.text = "queue=hotline&priority=0&prompt=busy"
    citizen = await people.citizen()
    call = await citizen.call("12345")
    await until_heard(call, PROMPT_HZ["hotline/busy"])
    await call.hangup()


async def test_prompt_that_does_not_exist_stops_nothing(
    people: People, admission: Admission, manager: BareManager
) -> None:
    admission.text = "queue=hotline&priority=0&prompt=no-such-prompt"
    citizen = await people.citizen()
    call = await citizen.call("12345")
    await manager.until("QueueCallerJoin", timeout_s=8)
    assert not hears(call.heard_pcm, PROMPT_HZ["hotline/busy"])
    await call.hangup()
