"""What agents and citizens keep while PostgreSQL is away, and what a call leaves behind."""

import asyncio
import hashlib
import os
import signal
from datetime import UTC, datetime

import aiohttp
import pytest

from base.database import connect
from server.connections import database_url
from server.demo.desk_client import DeskClient, DeskError
from server.processes import is_healthy, running
from tests.system.product import Product, until
from tests.system.test_whole_way import ready

FIELDS = {"type": "help", "demand": "路灯不亮", "place": "经十路"}


async def confirm(desk: DeskClient, call: str) -> dict[str, object]:
    return await desk.request(
        "POST", f"/api/calls/{call}/confirm", {"version": 0, "fields": FIELDS}
    )


async def fetch(desk: DeskClient, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Bytes, not JSON."""
    session: aiohttp.ClientSession | None = desk._session
    assert session is not None
    async with session.get(path, headers=headers) as answer:
        return answer.status, await answer.read()


@pytest.mark.timeout(240)
async def test_confirmation_while_postgresql_is_away_is_entered_once_on_its_return(
    product: Product,
) -> None:
    postgres = product.installation.postgres
    assert postgres is not None
    async with (
        product.phones("1001") as phones,
        product.citizen("13800138010") as citizen,
        product.desk("1001") as desk,
        product.desk("1001") as other_window,
    ):
        await ready(desk)
        line = await citizen.call("12345")
        view = await desk.until(lambda v: v.call is not None, "the call", timeout_s=40)
        assert view.call is not None
        call = view.call.call
        await asyncio.to_thread(postgres.stop)
        try:
            await desk.until(lambda v: v.links.database == "down", "the banner", timeout_s=15)
            answers = await asyncio.gather(
                confirm(desk, call), confirm(desk, call), confirm(other_window, call)
            )
            assert [answer["saved"] for answer in answers] == ["kept_on_disk"] * 3
            await desk.until(
                lambda v: v.draft is not None and v.draft.saved == "kept_on_disk",
                "the page to say so",
                timeout_s=10,
            )
            web = running(product.settings, "web")
            assert web is not None
            os.kill(web.pid, signal.SIGKILL)
            await until(
                lambda: (
                    running(product.settings, "web") not in (None, web)
                    and is_healthy(product.settings, "web")
                ),
                what="the web role back",
                timeout_s=30,
            )
        finally:
            await asyncio.to_thread(postgres.start)
        view = await desk.until(
            lambda v: v.draft is not None and v.draft.saved == "entered",
            "the ticket on the page",
            timeout_s=40,
        )
        assert view.draft is not None
        number = view.draft.ticket_number
        assert number is not None
        again = await asyncio.gather(confirm(desk, call), confirm(other_window, call))
        assert [answer["ticket"]["number"] for answer in again] == [number] * 2  # type: ignore[index]
        found = await desk.request("GET", f"/api/tickets/{number}")
        assert isinstance(found["ledger"], list)
        assert len(found["ledger"]) == 1
        await line.hangup()
        await desk.until(lambda v: v.call is None, "a free desk", timeout_s=15)
        del phones


@pytest.mark.timeout(240)
async def test_recording_is_kept_and_heard_by_its_agent_alone(product: Product) -> None:
    async with (
        product.phones("1001"),
        product.citizen("13800138011") as citizen,
        product.desk("1001") as desk,
        product.desk("1002") as stranger,
    ):
        await ready(desk)
        line = await citizen.call("12345")
        view = await desk.until(lambda v: v.call is not None, "the call", timeout_s=40)
        assert view.call is not None
        call = view.call.call
        await line.hangup()
        await desk.until(lambda v: v.me.state == "wrap_up", "the wrap-up", timeout_s=15)
        await until(
            lambda: (product.settings.recordings_dir / f"{call}.wav").exists(),
            what="the sound file",
            timeout_s=30,
        )
        raw = product.settings.recordings_dir / f"{call}.raw"
        await until(lambda: not raw.exists(), what="no raw file")
        told = (await desk.request("GET", f"/api/calls/{call}"))["call"]
        assert isinstance(told, dict)
        path = told["recording"]["url"]
        status, sound = await fetch(desk, path, {})
        assert status == 200
        assert hashlib.sha256(sound).hexdigest() == told["recording"]["sha256"]
        assert len(sound) > 8000 * 4
        assert await fetch(desk, path, {"Range": "bytes=8-11"}) == (206, b"WAVE")
        assert (await fetch(stranger, path, {}))[0] == 404
        with pytest.raises(DeskError):
            await stranger.request("GET", f"/api/calls/{call}")
        await desk.ready()


@pytest.mark.timeout(240)
async def test_calls_that_ended_while_the_product_was_dead_are_in_the_records_and_on_the_desk(
    product: Product,
) -> None:
    async with (
        product.phones("1001") as phones,
        product.citizen("13800138012") as citizen,
        product.citizen("13800138013") as impatient,
    ):
        async with product.desk("1001") as desk:
            await ready(desk)
            line = await citizen.call("12345")
            view = await desk.until(lambda v: v.call is not None, "the call", timeout_s=40)
            assert view.call is not None
            call = view.call.call
        product.kill()
        other = await impatient.call("12345")
        await other.until_answered(15)
        await other.hangup()
        await line.hangup()
        hung_up_at = datetime.now(UTC)
        await until(lambda: not product.channels(), what="silence")
        await asyncio.to_thread(product.start_roles)
        async with product.desk("1001") as desk:
            view = await desk.until(
                lambda v: v.me.state == "wrap_up" and v.call is not None,
                "the wrap-up of the call",
                timeout_s=30,
            )
            assert view.call is not None
            assert view.call.call == call
            assert view.call.ended_at is not None
            assert abs((view.call.ended_at - hung_up_at).total_seconds()) < 3
            await confirm(desk, call)
            await desk.until(lambda v: v.call is None, "a free desk", timeout_s=15)
        owner = await connect(database_url(product.settings, "owner"), name="test")
        try:
            row = await owner.fetchrow(
                "SELECT outcome, ended_at FROM calls WHERE caller_number = '13800138013'"
            )
        finally:
            await owner.close()
        assert row is not None
        assert (row["outcome"], row["ended_at"] is not None) == ("abandoned", True)
        del phones
