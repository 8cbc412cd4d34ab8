"""Return calls on the whole product, with real calls all the way.

Who asked keeps the place before those who came later, who hung up is called back after them; each
is dialled once, though the bridge is killed while they wait and again while they talk.
"""

import asyncio
import os
import signal

import pytest

from base.database import Connection, connect
from bench.soak_product import Soaked, soaked
from server.connections import database_url
from server.demo.desk_client import DeskClient
from server.processes import is_healthy, running
from server.push.protocol import DeskView
from server.services.asterisk import asterisk_config
from telephony import process
from telephony.phone import CallState, Phone, PhoneCall, answer_after
from telephony.tree import ensure_tree
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, voice
from tests.asterisk.switch import until_heard
from tests.conftest import TOOLS, free_port
from tests.system.product import Product, until
from tests.system.test_whole_way import ready

AGENT = "2001"
HUNG_UP, ASKED, CAME_LATER = "13800000301", "13800000302", "13800000303"
CARRIER = "127.0.0.5"
QUEUES = """
return_hours = "always"
[[queue]]
name = "hotline"
title = "综合受理"
numbers = ["12345"]
"""


@pytest.mark.timeout(180)
async def test_who_asked_and_who_hung_up_are_called_back_once_over_a_killed_bridge() -> None:
    port = free_port()
    own = {"HOTLINE_OUTBOUND_TRUNK": f"{CARRIER}:{port}"}
    async with soaked(TOOLS, agents=1, settings_of_its_own=own, queues=QUEUES) as it:
        product = it.product
        async with (
            Phone((CARRIER, port), server_of(product), "outside") as outside,
            product.phones(AGENT) as phones,
            product.desk(AGENT) as desk,
            product.citizen(HUNG_UP) as impatient,
            product.citizen(ASKED) as asker,
            product.citizen(CAME_LATER) as latecomer,
        ):
            agent = phones[AGENT]
            agent.on_ring(answer_after(0.2, play=voice(AGENT_HZ)))
            outside.on_ring(answer_after(0.2, play=voice(CITIZEN_HZ)))
            await ready(desk)
            await desk.request("POST", "/api/agent/state", {"state": "paused", "reason": "meal"})
            lost, asked, later = [
                await one_more(product, citizen) for citizen in (impatient, asker, latecomer)
            ]
            await lost.hangup()
            asked.send_digit("2")
            await asked.until_ended(10)
            await kill_bridge(product)
            await settle(it, {HUNG_UP: "reserved", ASKED: "reserved"})
            await desk.until(lambda v: v.links.telephony == "up", "the link", timeout_s=20)
            for number in (ASKED, CAME_LATER, HUNG_UP):
                await desk.ready()
                taken = await agent.until_ringing(20)
                assert taken.number == number, f"the place was not kept: {taken.number}"
                await taken.until(CallState.UP, timeout_s=5)
                if number == CAME_LATER:
                    await on_desk(desk, number)
                    await later.hangup()
                else:
                    await talk(product, outside, taken, number)
                await taken.until_ended(10)
                await desk.until(lambda v: v.me.state == "wrap_up", "the wrap-up", timeout_s=30)
            await settle(it, {HUNG_UP: "done", ASKED: "done"})
            assert [call.dialled for call in outside.past_calls] == [ASKED, HUNG_UP]


async def on_desk(desk: DeskClient, number: str) -> None:
    """Wait until the product knows of the talk: the telephone says so before Asterisk does."""

    def is_there(view: DeskView) -> bool:
        call = view.call
        return call is not None and call.caller_number == number and call.ended_at is None

    await desk.until(is_there, f"the call of {number}", timeout_s=15)


async def talk(product: Product, outside: Phone, taken: PhoneCall, number: str) -> None:
    """Agent and citizen hear one another, also after the bridge has died."""
    citizen = await outside.until_ringing(10)
    assert (citizen.dialled, citizen.number) == (number, "12345")
    await until_heard(taken, CITIZEN_HZ)
    await until_heard(citizen, AGENT_HZ)
    if number == ASKED:
        await kill_bridge(product)
    await citizen.hangup()


async def one_more(product: Product, citizen: Phone) -> PhoneCall:
    """One more waits in the queue."""
    before = waiting(product)
    call = await citizen.call("12345")
    await until(lambda: waiting(product) > before, what="one more in the queue")
    return call


def waiting(product: Product) -> int:
    config = asterisk_config(product.settings, ensure_tree(product.settings.tools / "asterisk"))
    return int(process.cli(config, "queue show hotline").split(" has ")[1].split()[0])


def server_of(product: Product) -> tuple[str, int]:
    return product.settings.service_host, product.settings.ports.sip


async def kill_bridge(product: Product) -> None:
    """And wait for the next one."""
    before = running(product.settings, "bridge")
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    await until(
        lambda: (
            running(product.settings, "bridge") not in (None, before)
            and is_healthy(product.settings, "bridge")
        ),
        what="the next bridge",
        timeout_s=30,
    )


async def settle(it: Soaked, wanted: dict[str, str]) -> None:
    """Wait until the return calls are so; no citizen has more than one, or was dialled twice."""
    owner: Connection = await connect(database_url(it.settings, "owner"), name="return-calls")
    found: dict[str, str] = {}
    try:
        async with asyncio.timeout(30):
            while found != wanted:
                rows = await owner.fetch("SELECT number, state, attempts FROM hotline.return_calls")
                assert len({row["number"] for row in rows}) == len(rows)
                assert all(row["attempts"] <= 1 for row in rows)
                found = {row["number"]: row["state"] for row in rows}
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"return calls are {found}, not {wanted}") from None
    finally:
        await owner.close()
