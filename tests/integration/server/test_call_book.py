"""Directory, attempts and who listened, as the web role reads and keeps them."""

from datetime import UTC, datetime

import asyncpg
import pytest

from base.database import Connection, Database
from base.ids import AgentId, AttemptId, CallId
from server.live.call_facts import Attempt, Consent, Party
from server.records.call_book import CallBook, Entry, add_entry, all_entries, remove_entry
from server.records.postgres import PostgresRecords

AT = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
TICKET = "20261127-000001"


async def test_the_directory_is_kept_by_the_owner_and_read_by_the_web_role(
    owner: Connection, web: Database
) -> None:
    await add_entry(owner, Entry(number="057188880001", name="水务", kind="unit"))
    await add_entry(owner, Entry(number="057188880001", name="市水务集团", kind="unit"))
    await add_entry(owner, Entry(number="057188880002", name="公积金中心", kind="expert"))
    book = CallBook(web)
    assert [entry.name for entry in await book.entries()] == ["公积金中心", "市水务集团"]
    entry = await book.entry("057188880002")
    assert entry is not None
    assert entry.kind == "expert"
    assert await remove_entry(owner, "057188880001")
    assert not await remove_entry(owner, "057188880001")
    assert len(await all_entries(owner)) == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await web.execute("DELETE FROM directory")


@pytest.mark.requirement("R055")
async def test_attempts_are_found_by_ticket_and_call_with_their_recording(
    bridge: Database, web: Database
) -> None:
    records, book = PostgresRecords(bridge), CallBook(web)
    wanted = Attempt(AttemptId("a1"), AgentId("1001"), "13800138000", AT, None, TICKET)
    await records.keep_attempt(wanted)
    # The recording and the end come in any order, and each may come twice.
    for _ in range(2):
        await records.keep_recording(CallId("attempt-a1"), "attempt-a1.wav", "a" * 64)
    over = Attempt(
        AttemptId("a1"), AgentId("1001"), "13800138000", AT, rang_at=AT, ended_at=AT,
        rang_s=12.0, talked_s=0.0, result="no_answer",
    )  # fmt: skip
    await records.keep_attempt(over)
    await records.keep_attempt(wanted)
    (found,) = await book.attempts_about(ticket=TICKET, call=None)
    assert (found.result, found.rang_s, found.sha256) == ("no_answer", 12.0, "a" * 64)
    assert await book.attempts_about(ticket=None, call="no-such-call") == []
    sound = await book.attempt_sound("a1")
    assert sound is not None
    assert (sound.path, sound.agent) == ("attempt-a1.wav", "1001")


async def test_attempts_that_ended_unseen_are_closed_and_living_ones_left_alone(
    bridge: Database, owner: Connection
) -> None:
    records = PostgresRecords(bridge)
    for name in ("gone", "live"):
        await records.keep_attempt(Attempt(AttemptId(name), AgentId("1001"), "12", AT))
    await owner.execute("UPDATE calls_out SET wanted_at = now() - interval '1 hour'")
    await records.close_attempts(["live"])
    rows = await owner.fetch("SELECT id, result FROM calls_out ORDER BY id")
    assert [tuple(row) for row in rows] == [("gone", "unknown"), ("live", None)]


@pytest.mark.requirement("R028")
async def test_who_listened_is_kept_and_cannot_be_taken_back(
    owner: Connection, web: Database, agent: str
) -> None:
    book = CallBook(web)
    await book.note_listening(agent, call="c1", part="")
    await book.note_listening(agent, call="c1", part="bytes=0-1000")
    await book.note_listening(agent, attempt="a1", part="")
    heard = await book.listenings("c1")
    assert [(each.username, each.part) for each in heard] == [
        ("agent1001", ""),
        ("agent1001", "bytes=0-1000"),
    ]
    for statement in ("DELETE FROM listenings", "UPDATE listenings SET part = 'x'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await web.execute(statement)


async def test_parties_and_consents_of_a_call_are_told_with_it(
    bridge: Database, web: Database
) -> None:
    records, call = PostgresRecords(bridge), CallId("c1")
    party = Party("c1/1", call, AgentId("1001"), "057188880001", "unit", AT)
    await records.keep_party(party)
    await records.keep_consent(Consent(call, AgentId("1001"), AT, is_given=True))
    doings = await CallBook(web).doings(call)
    assert [row["number"] for row in doings["parties"]] == ["057188880001"]
    assert [row["is_given"] for row in doings["consents"]] == [True]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await bridge.execute("UPDATE consents SET is_given = false")
