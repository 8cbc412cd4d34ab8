"""What waiting callers are told of their place and their wait, and the keys they press meanwhile.

Nothing of the product runs. Asterisk itself loses a key that is pressed while it speaks the place
of callers 2, 3, … (asterisk#543): these tests show that our dialplan does not.
"""

import asyncio
import functools
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.soak_machine import FAKETIME, SteppedClock
from telephony import process
from telephony.events import CallEnded, Outcome, SwitchEvent
from telephony.past_calls import read_past_calls
from telephony.phone import PhoneCall, answer_after
from telephony.tree import AsteriskTree
from tests.asterisk.manager import BareManager
from tests.asterisk.people import CITIZEN_HZ, People, voice
from tests.asterisk.switch import PROMPT_HZ, Switch, hears, start_switch, until, until_heard
from tests.asterisk.test_return_call import follow

PLACE = ("queue-thereare", "digits/2", "queue-callswaiting")
"""The parts of "you are number two in the queue"."""
STEP_S = 20
STEP_PACKETS = 4


async def four_waiting(people: People, manager: BareManager) -> list[PhoneCall]:
    """Callers in the order of their places; those behind the first are just hearing theirs."""
    await people.agent("1001")
    await people.pause("1001")
    first = await (await people.citizen("13800000200")).call("12345")
    await manager.until("QueueCallerJoin", timeout_s=8)
    numbers = ("13800000201", "13800000202", "13800000203")
    calls = {number: await (await people.citizen(number)).call("12345") for number in numbers}
    await until(lambda: len(manager.named("QueueCallerJoin")) == 4, timeout_s=8)
    joined = {each["Position"]: each["CallerIDNum"] for each in manager.named("QueueCallerJoin")}
    return [first, *(calls[joined[place]] for place in "234")]


async def press(call: PhoneCall, key: str, *, while_hearing: str) -> None:
    await until_heard(call, PROMPT_HZ[while_hearing], timeout_s=10)
    call.send_digit(key)


async def hang_up(call: PhoneCall, *, while_hearing: str) -> None:
    await until_heard(call, PROMPT_HZ[while_hearing], timeout_s=10)
    await call.hangup()


async def test_emergency_key_works_in_every_part_of_the_place_that_is_told(
    people: People, manager: BareManager
) -> None:
    first, second, third, fourth = calls = await four_waiting(people, manager)
    # The last one first: nobody's place changes while it is spoken.
    await asyncio.gather(
        press(fourth, "9", while_hearing="queue-thereare"),
        press(third, "9", while_hearing="digits/3"),
        press(second, "9", while_hearing="queue-callswaiting"),
    )
    for call in calls[1:]:
        await until_heard(call, PROMPT_HZ["hotline/emergency-menu"], timeout_s=10)

    def asked() -> set[str]:
        return {each["Call"] for each in manager.named("EmergencyAsked", Source="waiting")}

    await until(lambda: len(asked()) == 3, why="all three are told of")
    assert not hears(first.heard_pcm, PROMPT_HZ["hotline/emergency-menu"])
    for call in calls:
        await call.hangup()


async def test_other_keys_during_the_place_are_taken_too_or_change_nothing(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    begun_at = datetime.now(UTC)
    first, stays, returns, leaves = await four_waiting(people, manager)
    told: list[SwitchEvent] = []
    places = [each["CallerIDNum"] for each in manager.named("QueueCallerJoin")]
    async with follow(asterisk, told):
        await asyncio.gather(
            # A key that leads nowhere: the place is kept, with two callers behind.
            press(stays, "5", while_hearing="queue-thereare"),
            press(returns, "2", while_hearing="digits/3"),
            hang_up(leaves, while_hearing="digits/4"),
        )
        (joined,) = manager.named("QueueCallerJoin", CallerIDNum=places[3])
        await until(lambda: joined["Uniqueid"] in ended(told))
    await until_heard(returns, PROMPT_HZ["hotline/return-accepted"])
    await returns.until_ended(5)

    def again() -> list[str]:
        found = manager.named("QueueCallerJoin", CallerIDNum=places[1])
        return [each["Position"] for each in found]

    await until(lambda: len(again()) == 2, why="back in the queue")
    assert again() == ["2", "2"]
    await stays.hangup()
    await first.hangup()
    # Who hangs up while the place is spoken has abandoned the call, in the books as well.
    assert ended(told)[joined["Uniqueid"]] is Outcome.ABANDONED

    def in_books() -> Outcome | None:
        books = read_past_calls(asterisk.config.log_dir, begun_at)
        found = [call for call in books if call.caller_number == places[3] and call.ended_at]
        return found[0].outcome if found else None

    await until(in_books, why="Asterisk writes its books a moment after the end")
    assert in_books() is Outcome.ABANDONED


def ended(told: list[SwitchEvent]) -> dict[str, Outcome]:
    """How calls ended, as a living product was told."""
    return {each.call: each.outcome for each in told if isinstance(each, CallEnded)}


async def test_place_and_expected_wait_are_told_and_the_place_again_each_minute(
    asterisk_tree: AsteriskTree, tmp_path: Path
) -> None:
    """On an Asterisk whose clock is put forward, so that minutes of waiting cost seconds."""
    if not FAKETIME:
        pytest.skip("libfaketime is not here: apt-get install -y libfaketime")
    clock = SteppedClock(tmp_path)
    tree = replace(asterisk_tree, env={**asterisk_tree.env, **clock.environment})
    with tempfile.TemporaryDirectory(prefix="hotline-stepped-") as home:
        switch = start_switch(
            tree, Path(home), system_name="stepped", look_every_s=3600, nobody_after_s=3600
        )
        try:
            async with AsyncExitStack() as stack:
                await tell(People(switch, stack), switch, clock)
        finally:
            process.stop(switch.config)


async def forward(clock: SteppedClock, start_s: int, end_s: int, *calls: PhoneCall) -> None:
    """In small steps: a greater one looks as if the telephones had long been silent.

    The next step comes when all ``calls`` have had sound from Asterisk at the new time.
    """
    for at_s in range(start_s + STEP_S, end_s + STEP_S, STEP_S):
        clock.step(f"+{at_s}")
        before = [call.stats.received for call in calls]
        for call, seen in zip(calls, before, strict=True):
            await until(functools.partial(_has_had_more, call, seen), why=f"sound at +{at_s} s")


def _has_had_more(call: PhoneCall, seen: int) -> bool:
    return call.stats.received >= seen + STEP_PACKETS


async def tell(people: People, switch: Switch, clock: SteppedClock) -> None:
    citizen = await people.citizen("13800000220")
    patient = await citizen.call("12345", play=voice(CITIZEN_HZ))
    await until_heard(patient, PROMPT_HZ["queue-youarenext"], timeout_s=8)
    await forward(clock, 0, 180, patient)
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    served = await agent.until_ringing(8)
    await until_heard(served, CITIZEN_HZ)
    await switch.ask("queue pause member PJSIP/1001")
    await patient.hangup()
    # Waits of three minutes are what is expected now; the second in the queue is told both.
    first = await (await people.citizen("13800000221")).call("12345")
    await until_heard(first, PROMPT_HZ["queue-youarenext"], timeout_s=8)
    assert not hears(first.heard_pcm, PROMPT_HZ["queue-holdtime"])
    second = await (await people.citizen("13800000222")).call("12345")
    for part in (*PLACE, "queue-holdtime", "digits/3", "queue-minutes"):
        await until_heard(second, PROMPT_HZ[part], timeout_s=8)
    assert not hears(second.heard_pcm, PROMPT_HZ["hotline/waiting-choices"])
    told = second.heard_pcm.size
    await forward(clock, 180, 240, first, second)
    await until(
        lambda: hears(second.heard_pcm[told:], PROMPT_HZ["digits/2"]), why="the place once more"
    )
    await forward(clock, 240, 300, first, second)
    await until_heard(second, PROMPT_HZ["hotline/waiting-choices"])
    assert not hears(second.heard_pcm[told:], PROMPT_HZ["queue-holdtime"])
    # The first in the queue has the keys too.
    told = first.heard_pcm.size
    await forward(clock, 300, 360, first, second)
    await until(lambda: hears(first.heard_pcm[told:], PROMPT_HZ["queue-youarenext"]))
    first.send_digit("9")
    await until_heard(first, PROMPT_HZ["hotline/emergency-menu"])
    await first.hangup()
    await second.hangup()
