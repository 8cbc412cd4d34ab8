"""Suspended, throttled, anonymous and waiting callers: no exception is made of any of them.

All four at once press the key, each in the place where the product's answer has put them, with the
product alive, dead since it answered, and dead from the beginning (then nobody is suspended or
throttled, and all of them wait).
"""

import asyncio

import pytest

from telephony.phone import PhoneCall
from tests.asterisk.manager import BareManager
from tests.asterisk.people import CITIZEN_HZ, LINE_HZ, Admission, People, voice
from tests.asterisk.switch import PROMPT_HZ, Switch, until, until_heard

KEY = "9"
SUSPENDED, THROTTLED, ANONYMOUS, WAITING = "13800000231", "13800000232", "anonymous", "13800000234"
CHOICES = {SUSPENDED: "1", THROTTLED: "2", ANONYMOUS: "3", WAITING: "4"}
LINES = {"110", "119", "120", "122"}
ANSWERS = {
    SUSPENDED: "queue=hotline&priority=0&prompt=suspended-use-23",
    THROTTLED: "queue=hotline&priority=0&prompt=often",
}


@pytest.mark.parametrize("product", ["alive", "dead since the answer", "dead"])
async def test_every_kind_of_caller_reaches_the_line_by_the_key(
    people: People, manager: BareManager, asterisk: Switch, product: str
) -> None:
    exchange = await people.exchange()
    lines: list[PhoneCall] = []

    async def policy(call: PhoneCall) -> None:
        await call.answer()
        call.play(voice(LINE_HZ))
        lines.append(call)

    exchange.on_ring(policy)
    # An agent is there and takes no call: whoever may wait, waits.
    await people.agent("1001")
    await people.pause("1001")
    admission = Admission(asterisk.admission_port)
    admission.answers = ANSWERS
    if product != "dead":
        await admission.start()
    try:
        calls = {number: await (await people.citizen(number)).call("12345") for number in CHOICES}
        if product != "dead":
            await until_heard(calls[SUSPENDED], PROMPT_HZ["hotline/suspended-use"], timeout_s=8)
            await until_heard(calls[THROTTLED], PROMPT_HZ["hotline/often"], timeout_s=8)
        waiting = 4 if product == "dead" else 2
        await until(lambda: len(manager.named("QueueCallerJoin")) >= waiting, timeout_s=8)
        if product == "dead since the answer":
            await admission.stop()
        await asyncio.gather(*(choose(calls[number], key) for number, key in CHOICES.items()))
    finally:
        await admission.stop()
    assert {line.dialled for line in lines} == LINES
    assert {line.number for line in lines} >= {SUSPENDED, THROTTLED, WAITING}
    for line in lines:
        await until_heard(line, CITIZEN_HZ)
    for call in calls.values():
        await call.hangup()


async def choose(call: PhoneCall, choice: str) -> None:
    """The key, a line, and a talk with it."""
    call.play(voice(CITIZEN_HZ))
    # Both at once: the menu waits for seconds only, and a busy machine is slow to hear it.
    call.send_digit(KEY)
    call.send_digit(choice)
    await until_heard(call, LINE_HZ, timeout_s=10)
