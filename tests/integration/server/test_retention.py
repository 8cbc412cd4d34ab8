"""Recordings are kept as long as the city's rules say, and what is held is never deleted."""

from pathlib import Path

import asyncpg
import pytest

from base.database import Connection, Database
from base.ids import AgentId, AttemptId, CallId
from rules.library import load_pack
from server.live.call_facts import Attempt
from server.records.postgres import PostgresRecords
from server.records.retention import Retention, hold, release, terms
from tests.integration.server.test_call_book import AT

OLD, NEW = CallId("node-1100000000.1"), CallId("node-1790000000.1")


@pytest.fixture
async def retention(bridge: Database, tmp_path: Path) -> Retention:
    records = PostgresRecords(bridge)
    made = Retention(bridge, records, tmp_path, lambda: load_pack("jinan_2018"))
    for call in (OLD, NEW):
        (tmp_path / f"{call}.wav").write_bytes(b"sound")
        await made.keep_recording(call, f"{call}.wav", "a" * 64)
    return made


@pytest.mark.requirement("R028")
async def test_a_recording_is_deleted_when_its_term_is_past_and_not_before(
    retention: Retention, owner: Connection, tmp_path: Path
) -> None:
    old, new = await terms(owner, only_held=False)
    assert old.rule.startswith("keep.recordings jinan_2018 ")
    assert old.delete_after.year == old.recorded_at.year + 3
    assert await retention.delete_one()
    assert not await retention.delete_one()
    assert not (tmp_path / old.path).exists()
    assert (tmp_path / new.path).exists()
    row = await owner.fetchrow("SELECT * FROM calls WHERE id = $1", OLD)
    assert row is not None
    assert (row["recording_path"], row["recording_sha256"]) == (None, "a" * 64)
    assert [term.path for term in await terms(owner, only_held=False)] == [new.path]


async def test_a_held_recording_stays_until_it_is_released(
    retention: Retention, owner: Connection, tmp_path: Path
) -> None:
    assert await hold(owner, f"{OLD}.wav", "投诉复核")
    assert [term.held_reason for term in await terms(owner, only_held=True)] == ["投诉复核"]
    assert not await retention.delete_one()
    assert (tmp_path / f"{OLD}.wav").exists()
    assert await release(owner, f"{OLD}.wav")
    assert await retention.delete_one()
    assert not await hold(owner, f"{OLD}.wav", "too late")


async def test_calls_out_have_terms_too_and_a_file_that_is_gone_is_only_noted(
    retention: Retention, bridge: Database, owner: Connection, tmp_path: Path
) -> None:
    records = PostgresRecords(bridge)
    made = Attempt(AttemptId("a1"), AgentId("1001"), "13800138000", AT.replace(year=2001))
    await records.keep_attempt(made)
    await retention.keep_recording(CallId("attempt-a1"), "attempt-a1.wav", "b" * 64)
    assert len(await terms(owner, only_held=False)) == 3
    assert await retention.delete_one()
    assert await retention.delete_one()
    assert not await retention.delete_one()
    assert await owner.fetchval("SELECT recording_path FROM calls_out") is None


async def test_a_file_that_cannot_be_removed_holds_up_no_other(
    retention: Retention, owner: Connection, tmp_path: Path
) -> None:
    stuck, other = CallId("node-1000000000.1"), f"{OLD}.wav"
    (tmp_path / f"{stuck}.wav").mkdir()  # what ``unlink`` refuses
    await retention.keep_recording(stuck, f"{stuck}.wav", "a" * 64)
    assert [await retention.delete_one() for _ in range(3)] == [True, True, False]
    assert not (tmp_path / other).exists()
    left = [term.path for term in await terms(owner, only_held=False)]
    assert left == [f"{stuck}.wav", f"{NEW}.wav"]


async def test_a_later_rule_does_not_change_the_term_of_what_was_recorded_before(
    retention: Retention, owner: Connection
) -> None:
    before = await terms(owner, only_held=False)
    await retention.enter_terms()
    assert await terms(owner, only_held=False) == before


async def test_the_bridge_can_neither_hold_nor_release_nor_lengthen(
    retention: Retention, bridge: Database
) -> None:
    for change in ("held_reason = NULL, held_at = NULL", "delete_after = now()"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bridge.execute(f"UPDATE recording_terms SET {change}")
