"""Attachments over HTTP on PostgreSQL: added, listed, read, hidden from units, kept and erased."""

import asyncio
import errno
import hashlib
import os
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from base.database import Connection, Database
from rules import catalogue as law
from rules.library import load_pack
from server.citizen_code import CitizenCodes
from tests.fakes.city import HOUSING, MARKET, WATER, centre, of_unit
from tests.fakes.work_order import MONDAY_10, SUPERVISOR, WorkOrder, WorkOrders
from tests.fakes.work_order_http import Asking, HttpBackend
from tickets import moves as m
from tickets.attachment_files import AttachmentFiles
from tickets.attachments import MOST_OF_A_TICKET, Source, erase_one, remove_strays
from tickets.facts import Actor, ActorRole
from tickets.ticket import TicketState

Ask = Callable[[str], Awaitable[Asking]]
AGENT = centre(ActorRole.AGENT)
DISPATCHER = centre(ActorRole.DISPATCHER)
ORDERS = "/api/work-orders"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(300_000)
PDF = b"%PDF-1.7\n" + bytes(200)


class Files:
    """A ticket's attachments, asked for by people."""

    def __init__(self, city: Asking, order: WorkOrder) -> None:
        self.city = city
        self.order = order
        self.path = f"{ORDERS}/{order.facts.number}/attachments"

    async def add(self, by: Actor, content: bytes = PNG, query: str = "name=现场.png") -> Any:
        return await self.city.send(by, f"{self.path}?{query}", content)

    async def added(self, by: Actor, content: bytes = PNG, query: str = "name=现场.png") -> str:
        status, told = await self.add(by, content, query)
        assert status == 201, told
        return str(told["id"])

    async def read(self, by: Actor, attachment: str) -> tuple[int, bytes]:
        return await self.city.fetch(by, f"{self.path}/{attachment}")

    async def listed(self, by: Actor) -> set[str]:
        shown = await self.city.must(by, "GET", f"{ORDERS}/{self.order.facts.number}")
        return {each["id"] for each in shown["attachments"]}

    async def withdraw(self, by: Actor, attachment: str) -> int:
        path = f"{self.path}/{attachment}/withdrawal"
        status, _ = await self.city.ask(by, "POST", path, {"reason": "传错了"})
        return status

    async def for_units(self, by: Actor, attachment: str, *, is_shown: bool = True) -> int:
        said = {"is_shown": is_shown, "reason": "已遮盖个人信息"}
        status, _ = await self.city.ask(by, "POST", f"{self.path}/{attachment}/for-units", said)
        return status


@pytest.fixture
async def ticket(asking: Ask) -> Callable[..., Awaitable[Files]]:
    async def made(**more: Any) -> Files:
        city = await asking("jinan_2018")

        async def started() -> Asking:
            return city

        orders = WorkOrders(HttpBackend(started), "jinan_2018", MONDAY_10)
        return Files(city, await orders.register(**more))

    return made


Ticket = Callable[..., Awaitable[Files]]


async def test_a_file_comes_back_as_it_was_and_stands_in_list_ledger_and_log(
    ticket: Ticket, web: Database, tmp_path: Path
) -> None:
    files = await ticket()
    attachment = await files.added(AGENT, PNG, "name=井盖.exe&source=caller")
    assert await files.read(DISPATCHER, attachment) == (200, PNG)
    shown = await files.city.must(SUPERVISOR, "GET", f"{ORDERS}/{files.order.facts.number}")
    (listed,) = shown["attachments"]
    assert (listed["name"], listed["media_type"]) == ("井盖.exe.png", "image/png")
    assert (listed["size_bytes"], listed["source"]) == (len(PNG), "caller")
    entry = shown["ledger"][-1]
    assert entry["action"] == "attach"
    assert entry["body"]["sha256"] == listed["sha256"]
    assert "井盖" not in str(entry)
    assert entry["seq"] == shown["facts"]["version"]
    seen = await files.city.must(SUPERVISOR, "GET", f"{ORDERS}/{files.order.facts.number}/accesses")
    assert [f"attachment {attachment}"] in [each["fields"] for each in seen]
    kept = tmp_path / "attachments" / listed["sha256"][:2] / listed["sha256"]
    assert kept.read_bytes() == PNG


async def test_sent_twice_or_at_once_it_is_one_attachment(ticket: Ticket, web: Database) -> None:
    files = await ticket()
    told = await asyncio.gather(*(files.add(AGENT) for _ in range(4)))
    assert {status for status, _ in told} == {201}
    assert sum(answer["is_new"] for _, answer in told) == 1
    assert len({answer["id"] for _, answer in told}) == 1
    assert await web.fetchval("SELECT count(*) FROM attachments") == 1
    await files.added(AGENT, PNG, "name=a.png&source=caller")  # another side's is another's


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"MZ" + bytes(100), 415, "attachment_kind_refused"),
        (b"", 415, "attachment_kind_refused"),
        (b"\xff\xd8\xff" + bytes(21 * 2**20), 413, "attachment_too_large"),
    ],
)
async def test_what_is_not_taken_is_refused_and_leaves_nothing(
    content: bytes, status: int, code: str, ticket: Ticket, web: Database, tmp_path: Path
) -> None:
    files = await ticket()
    answered, told = await files.add(AGENT, content)
    assert (answered, told["code"]) == (status, code)
    assert not [each for each in (tmp_path / "attachments").rglob("*") if each.is_file()]
    assert await web.fetchval("SELECT count(*) FROM attachments") == 0


async def test_a_side_has_so_many_of_a_ticket_and_takes_none_from_another(ticket: Ticket) -> None:
    files = await ticket()
    of_caller = "name=a.pdf&source=caller"
    first = await files.added(AGENT, PDF + b"0", of_caller)
    for number in range(1, MOST_OF_A_TICKET[Source.CALLER]):
        await files.added(AGENT, PDF + str(number).encode(), of_caller)
    status, told = await files.add(AGENT, PDF, of_caller)
    assert (status, told["code"]) == (409, "attachments_full")
    await files.added(AGENT)
    assert await files.withdraw(DISPATCHER, first) == 204
    await files.added(AGENT, PDF, of_caller)


async def test_a_file_is_refused_while_the_disk_has_no_room_to_spare(
    ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = await ticket()
    usage = type(shutil.disk_usage("/"))
    little = usage(2**40, 2**40 - 2**20, 2**20)
    with monkeypatch.context() as patched:
        patched.setattr("tickets.attachment_files.shutil.disk_usage", lambda _: little)
        status, told = await files.add(AGENT)
    assert (status, told["code"]) == (507, "attachment_disk_full")


async def test_a_file_that_no_row_knows_goes_after_a_day_and_no_other(
    ticket: Ticket, web: Database, tmp_path: Path
) -> None:
    await (await ticket(lane="retaliation")).added(SUPERVISOR)  # nor what only supervision sees
    store = AttachmentFiles(tmp_path / "attachments")
    known, stray, young = (
        store.path(hashlib.sha256(content).hexdigest()) for content in (PNG, b"stray", b"young")
    )
    for path in (stray, young):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"left by a transaction that was undone")
    now = datetime.now(UTC)
    for path in (known, stray):
        os.utime(path, times=((now - timedelta(days=2)).timestamp(),) * 2)
    assert await remove_strays(web, store, now) == 1
    assert [path.exists() for path in (known, stray, young)] == [True, False, True]


async def test_a_full_disk_is_said_and_nothing_is_half_there(
    ticket: Ticket, web: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = await ticket()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        status, told = await files.add(AGENT)
    assert (status, told["code"]) == (507, "attachment_disk_full")
    assert not [each for each in (tmp_path / "attachments").rglob("*") if each.is_file()]
    assert await web.fetchval("SELECT count(*) FROM ledger WHERE action = 'attach'") == 0
    await files.added(AGENT)


async def test_a_damaged_file_is_refused_and_not_given(ticket: Ticket, tmp_path: Path) -> None:
    files = await ticket()
    attachment = await files.added(AGENT)
    (kept,) = (each for each in (tmp_path / "attachments").rglob("*") if each.is_file())
    kept.write_bytes(PNG[:-1] + b"x")
    status, told = await files.read(AGENT, attachment)
    assert status == 500
    assert b"attachment_damaged" in told


async def test_a_confidential_tickets_files_reach_units_when_marked_as_fit_alone(
    ticket: Ticket, unit: Database
) -> None:
    files = await ticket(is_confidential=True)
    hidden = await files.added(AGENT, PNG, "name=举报信.png&source=caller")
    scan = await files.added(AGENT, PDF)
    await files.order.to_units(MARKET)
    assert await files.listed(of_unit(MARKET)) == set()
    status, told = await files.read(of_unit(MARKET), hidden)
    assert (status, b"attachment_unknown" in told) == (404, True)
    assert await files.for_units(of_unit(MARKET), scan) == 403
    assert await files.for_units(AGENT, scan) == 403
    assert await files.for_units(DISPATCHER, scan) == 204
    assert await files.listed(of_unit(MARKET)) == {scan}
    assert await files.read(of_unit(MARKET), scan) == (200, PDF)
    assert await files.for_units(DISPATCHER, scan, is_shown=False) == 204
    assert await files.listed(of_unit(MARKET)) == set()
    assert await files.listed(DISPATCHER) == {hidden, scan}


async def test_a_unit_sees_the_callers_files_its_own_and_no_other_units(ticket: Ticket) -> None:
    files = await ticket()
    photo = await files.added(AGENT, PNG, "name=a.png&source=caller")
    await files.order.to_units(WATER, HOUSING, part="lead")
    mine = await files.added(of_unit(WATER), PDF)
    assert await files.listed(of_unit(WATER)) == {photo, mine}
    assert await files.listed(of_unit(HOUSING)) == {photo}
    assert (await files.read(of_unit(HOUSING), mine))[0] == 404
    assert (await files.add(of_unit(MARKET)))[0] == 404
    assert await files.withdraw(of_unit(HOUSING), mine) == 403
    assert await files.withdraw(of_unit(WATER), photo) == 403
    assert await files.withdraw(of_unit(WATER), mine) == 204
    assert await files.listed(of_unit(WATER)) == {photo}


async def test_what_is_withdrawn_is_kept_and_seen_by_supervision(ticket: Ticket) -> None:
    files = await ticket()
    attachment = await files.added(AGENT)
    assert await files.withdraw(AGENT, attachment) == 403
    assert await files.withdraw(DISPATCHER, attachment) == 204
    assert await files.withdraw(DISPATCHER, attachment) == 404
    assert (await files.read(DISPATCHER, attachment))[0] == 404
    assert await files.read(SUPERVISOR, attachment) == (200, PNG)
    shown = await files.city.must(SUPERVISOR, "GET", f"{ORDERS}/{files.order.facts.number}")
    assert shown["attachments"][0]["withdrawn_reason"] == "传错了"
    assert (shown["ledger"][-1]["action"], shown["ledger"][-1]["reason"]) == (
        "withdraw_attachment",
        "传错了",
    )
    await files.added(AGENT)  # the same content may be added anew


async def test_a_caller_adds_by_number_and_code_and_nobody_without(ticket: Ticket) -> None:
    files = await ticket()
    code = CitizenCodes("test").of(files.order.facts.number)
    path = f"/api/citizen{files.path.removeprefix('/api')}"
    status, told = await files.city.send(None, path, PNG, X_Code="000000")
    assert (status, told["code"]) == (403, "citizen_code_wrong")
    status, told = await files.city.send(None, path, PNG, X_Code=code)
    assert status == 201
    assert await files.listed(AGENT) == {told["id"]}


async def test_who_stepped_back_and_an_archived_ticket_have_no_part(ticket: Ticket) -> None:
    files = await ticket()
    attachment = await files.added(AGENT)
    recused = centre(ActorRole.REVIEWER, 4)
    await files.order.do(m.Recuse(users=[recused.user], interest="亲属"), SUPERVISOR)
    assert (await files.read(recused, attachment))[0] == 404
    await files.order.to_follow_up(WATER)
    await files.order.follow_up()
    await files.order.close()
    await files.order.do(m.Archive(), SUPERVISOR)
    assert files.order.facts.state is TicketState.ARCHIVED
    status, told = await files.add(AGENT, PDF)
    assert (status, told["code"]) == (409, "ticket_move_illegal")


async def test_a_file_goes_when_the_packs_term_is_past_and_its_hash_stays(
    ticket: Ticket, web: Database, tmp_path: Path
) -> None:
    files = await ticket()
    await files.added(AGENT)
    await files.added(AGENT, PNG, "name=b.png&source=caller")
    await files.order.to_follow_up(WATER)
    await files.order.follow_up()
    closed = await files.order.close()
    store = AttachmentFiles(tmp_path / "attachments")
    assert closed.closed_at is not None
    ten_years = closed.closed_at.replace(year=closed.closed_at.year + 10)
    assert not await erase_one(web, store, ten_years - timedelta(days=1))
    assert await erase_one(web, store, ten_years + timedelta(days=1))
    sha256 = await web.fetchval("SELECT min(sha256) FROM attachments")
    assert store.path(sha256).exists()  # the other one's content is the same
    assert await erase_one(web, store, ten_years + timedelta(days=1))
    assert not await erase_one(web, store, ten_years + timedelta(days=1))
    assert not store.path(sha256).exists()
    assert await files.listed(SUPERVISOR) == set()


async def test_a_slow_sender_is_let_go(
    ticket: Ticket, owner: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.http.attachment_routes.BODY_TIMEOUT_S", 0.05)
    files = await ticket()

    async def dripping() -> Any:
        yield PNG[:100]
        await asyncio.sleep(30)

    status, told = await files.city.send(AGENT, files.path, dripping())
    assert (status, told["code"]) == (408, "body_too_slow")
    assert not [each for each in (tmp_path / "attachments").rglob("*") if each.is_file()]


async def test_a_sender_who_trickles_is_let_go(
    ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.http.attachment_routes.GRACE_S", 0.05)
    files = await ticket()

    async def trickling() -> Any:
        yield PNG[:100]
        for _ in range(20):
            await asyncio.sleep(0.02)
            yield b"\0"

    status, told = await files.city.send(AGENT, files.path, trickling())
    assert (status, told["code"]) == (408, "body_too_slow")


async def test_an_odd_name_or_id_harms_nothing(ticket: Ticket) -> None:
    files = await ticket()
    await files.added(AGENT, PNG, "name=%00a%ED%A0%80%0d%0a%E2%80%AEb.png")
    await files.added(AGENT, PDF, "")
    shown = await files.city.must(SUPERVISOR, "GET", f"{ORDERS}/{files.order.facts.number}")
    assert all(each["name"].isprintable() for each in shown["attachments"])
    assert (await files.read(DISPATCHER, "no-id"))[0] == 404


async def test_another_site_adds_nothing_for_whoever_is_signed_in(ticket: Ticket) -> None:
    files = await ticket()
    status, told = await files.city.send(AGENT, files.path, PNG, Origin="https://elsewhere.example")
    assert (status, told["code"]) == (403, "origin_foreign")
    assert await files.listed(AGENT) == set()


MEDIA = {
    "voice": (b"#!AMR\n" + bytes(40), "audio/amr"),
    "picture": (PNG[:64], "image/png"),
    "video": (bytes(4) + b"ftypisom" + bytes(40), "video/mp4"),
}
"""What a telephone makes."""


@pytest.mark.requirement("R002")
@pytest.mark.parametrize(
    "city", ["jinan_2018", "jinan_draft_2018", "taian_draft", "hangzhou_2024", "tongliao_2024"]
)
async def test_voice_text_pictures_and_video_belong_to_a_demand_whoever_brings_them(
    city: str, asking: Ask
) -> None:
    asked = load_pack(city).decide(law.MEDIA, on=MONDAY_10.date()).value
    assert {each.value for each in asked} == {"text", *MEDIA}
    http = await asking(city)
    http.clock.at = MONDAY_10
    demand = {"channel": "wechat", "type": "help", "demand": "水管漏水，见照片。"}
    made = await http.must(AGENT, "POST", ORDERS, demand)
    path = f"{ORDERS}/{made['number']}"
    for content, _ in MEDIA.values():
        citizens = f"/api/citizen/work-orders/{made['number']}/attachments"
        status, _ = await http.send(None, citizens, content, X_Code=made["code"])
        assert status == 201
    shown = await http.must(AGENT, "GET", path)
    assert shown["texts"]["demand"] == demand["demand"]
    found = {each["media_type"]: each for each in shown["attachments"]}
    assert set(found) == {media_type for _, media_type in MEDIA.values()}
    for content, media_type in MEDIA.values():
        kept = found[media_type]
        assert kept["size_bytes"] == len(content)
        assert kept["sha256"] == hashlib.sha256(content).hexdigest()
