"""A confirmed draft becomes exactly one ticket: on a real PostgreSQL, doubled, raced and cut."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from base.database import Connection, Database, DatabaseUnavailable
from base.ids import CallId
from server.live.records import CallFacts
from server.records.postgres import PostgresRecords
from tests.conftest import TestDatabase
from tickets import new_ticket, registration
from tickets.ledger import verify_chain
from tickets.registration import Confirmation, MachineField, register
from tickets.store import SQL, TicketStore
from tickets.ticket import MissingValue, TicketType, Urgency
from transcription.draft_ticket import Draft, DraftField, Evidence, FieldName, Speaker

AT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
FIELDS = {
    "type": "complain",
    "topic": "noise",
    "summary": "夜间施工噪声",
    "demand": "要求夜间停止施工",
    "place": "历下区经十路",
    "time": "昨晚十一点",
    "phone": "138 0013-8000",
    "wants_reply": "yes",
}


def confirmation(agent: str, call: str = "node-1.1", **changed: object) -> Confirmation:
    values: dict[str, object] = {
        "call": call,
        "actor": agent,
        "confirmed_at": AT,
        "fields": FIELDS,
        "caller_number": "13800138000",
        "caller_name": "王先生",
    }
    return Confirmation(**(values | changed))  # type: ignore[arg-type]


async def count(owner: Connection, table: str) -> int:
    number: int = await owner.fetchval(f"SELECT count(*) FROM {table}")
    return number


async def test_ticket_has_everything_that_was_confirmed(web: Database, agent: str) -> None:
    registered = await register(web, confirmation(agent))
    ticket = registered.ticket
    assert registered.is_new
    assert ticket.number == "20261122-000001"
    assert (ticket.call, ticket.created_by, ticket.created_at) == ("node-1.1", agent, AT)
    assert (ticket.type, ticket.urgency) == (TicketType.COMPLAIN, Urgency.NORMAL)
    assert (ticket.title, ticket.demand) == ("夜间施工噪声", "要求夜间停止施工")
    assert ticket.content == ticket.demand
    assert (ticket.caller_name, ticket.caller_number) == ("王先生", "13800138000")
    assert ticket.contact_number == "13800138000"
    assert (ticket.wants_reply, ticket.confidential) == (True, False)
    assert await TicketStore(web).by_number(ticket.number) == ticket
    assert await TicketStore(web).by_call(CallId("node-1.1")) == ticket


async def test_fifty_confirmations_at_once_make_one_ticket(
    web: Database, agent: str, owner: Connection
) -> None:
    results = await asyncio.gather(*(register(web, confirmation(agent)) for _ in range(50)))
    assert len({result.ticket.id for result in results}) == 1
    assert sum(result.is_new for result in results) == 1
    assert await count(owner, "tickets") == 1
    assert await count(owner, "ledger") == 1
    assert await owner.fetchval("SELECT last_number FROM ticket_days") == 1


async def test_fifty_calls_at_once_get_fifty_numbers_without_a_hole(
    web: Database, agent: str
) -> None:
    results = await asyncio.gather(
        *(register(web, confirmation(agent, f"node-1.{call}")) for call in range(50))
    )
    numbers = sorted(result.ticket.number for result in results)
    assert numbers == [f"20261122-{number:06}" for number in range(1, 51)]


async def test_second_confirmation_gives_the_first_ticket_unchanged(
    web: Database, agent: str
) -> None:
    first = await register(web, confirmation(agent))
    other = confirmation(agent, fields=FIELDS | {"demand": "另一个诉求"})
    second = await register(web, other)
    assert (second.ticket, second.is_new) == (first.ticket, False)


async def test_day_of_the_number_is_shanghais(web: Database, agent: str) -> None:
    just_after_midnight = datetime(2026, 11, 22, 16, 0, 1, tzinfo=UTC)
    before = just_after_midnight - timedelta(seconds=2)
    first = await register(web, confirmation(agent, "node-1.1", confirmed_at=before))
    second = await register(web, confirmation(agent, "node-1.2", confirmed_at=just_after_midnight))
    assert first.ticket.number == "20261122-000001"
    assert second.ticket.number == "20261123-000001"


async def test_corrections_show_what_the_machine_had_proposed_and_why(
    web: Database, agent: str
) -> None:
    span: dict[str, object] = {
        "speaker": "citizen", "utterance": 0, "start": 2, "end": 5, "text": "经四路",
    }  # fmt: skip
    machine = {
        "type": MachineField(value="complain", confidence=0.9),
        "place": MachineField(value="历下区经四路", confidence=0.6, evidence=[span]),
        "confidential": MachineField(value="yes", confidence=0.5),
    }
    registered = await register(web, confirmation(agent, machine=machine))
    corrections = await TicketStore(web).corrections(registered.ticket.id)
    found = {each.field: (each.machine_value, each.final_value) for each in corrections}
    assert found["place"] == ("历下区经四路", "历下区经十路")
    assert found["confidential"] == ("yes", None)
    assert found["demand"] == (None, "要求夜间停止施工")
    assert "type" not in found
    assert "urgency" not in found
    assert next(each for each in corrections if each.field == "place").evidence == [span]
    draft = await TicketStore(web).draft(registered.ticket.id)
    assert draft["final"]["place"] == "历下区经十路"  # type: ignore[index]


async def test_machines_fields_come_from_the_stored_draft_and_it_is_closed(
    web: Database, bridge: Database, agent: str, owner: Connection
) -> None:
    records = PostgresRecords(bridge)
    evidence = Evidence(speaker=Speaker.CITIZEN, utterance=0, start=0, end=3, text="经十路")
    place = DraftField(value="历下区经十路", confidence=0.8, evidence=(evidence,))
    machine = Draft(fields={FieldName.PLACE: place})
    await records.keep_draft(CallId("node-1.1"), 3, machine, {}, AT)
    registered = await register(web, confirmation(agent))
    corrections = await TicketStore(web).corrections(registered.ticket.id)
    assert "place" not in {each.field for each in corrections}
    assert await owner.fetchval("SELECT confirmed_at FROM drafts") == AT
    await records.keep_draft(CallId("node-1.1"), 4, Draft(fields={}), {}, AT)
    assert await owner.fetchval("SELECT version FROM drafts") == 3
    stored = await find(records, "node-1.1")
    assert stored is None  # the call itself was never stored: a draft alone is no call


async def find(records: PostgresRecords, call: str) -> object:
    return await records.find_call(CallId(call))


async def test_first_ledger_entry_holds_the_registration(web: Database, agent: str) -> None:
    registered = await register(web, confirmation(agent))
    [entry] = await TicketStore(web).ledger(registered.ticket.id)
    assert (entry.seq, entry.action, entry.actor, entry.at) == (1, "registered", agent, AT)
    assert entry.body["number"] == registered.ticket.number
    assert verify_chain([entry]) is None


async def test_refused_confirmation_writes_nothing(
    web: Database, agent: str, owner: Connection
) -> None:
    with pytest.raises(MissingValue):
        await register(web, confirmation(agent, fields={"type": "complain"}))
    assert await count(owner, "tickets") == 0
    assert await count(owner, "ticket_days") == 0


@pytest.mark.parametrize(
    "statement", ["lock_call", "next_number_of_day", "insert_ticket", "mark_draft_confirmed"]
)
async def test_connection_killed_in_mid_transaction_leaves_nothing_and_a_retry_one_ticket(
    statement: str,
    web: Database,
    agent: str,
    owner: Connection,
    superuser: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The statement waits in the server just before it is done, and is killed there.
    slow = {**SQL, statement: f"/* killed here */ {SQL[statement]}"}
    for module in (registration, new_ticket):
        monkeypatch.setattr(module, "SQL", slow)
    async with holding(superuser, statement):
        attempt = asyncio.create_task(register(web, confirmation(agent)))
        await until_killed(superuser)
        with pytest.raises(DatabaseUnavailable):
            await attempt
    assert await count(owner, "tickets") == 0
    assert await count(owner, "ledger") == 0
    registered = await register(web, confirmation(agent))
    assert registered.is_new
    assert registered.ticket.number.endswith("-000001")


@asynccontextmanager
async def holding(superuser: Connection, statement: str) -> AsyncIterator[None]:
    """Make the statement wait for a lock."""
    async with superuser.transaction():
        match statement:
            case "lock_call":
                await superuser.execute(SQL["lock_call"], "node-1.1")
            case "next_number_of_day":
                await superuser.execute("LOCK TABLE ticket_days IN EXCLUSIVE MODE")
            case "insert_ticket":
                await superuser.execute("LOCK TABLE tickets IN EXCLUSIVE MODE")
            case _:
                await superuser.execute("LOCK TABLE drafts IN EXCLUSIVE MODE")
        yield


async def until_killed(superuser: Connection) -> None:
    for _ in range(500):
        await superuser.execute("SELECT pg_stat_clear_snapshot()")
        if await superuser.fetchval(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE '/* killed here%' AND wait_event_type = 'Lock'"
        ):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the statement never waited")


async def test_answer_lost_after_the_commit_gives_the_same_ticket_on_retry(
    web: Database, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AnswerLost(Database):
        @asynccontextmanager
        async def transaction(self) -> AsyncIterator[Connection]:
            async with web.transaction() as connection:
                yield connection
            raise DatabaseUnavailable(cause="cut after commit")

    with pytest.raises(DatabaseUnavailable):
        await register(AnswerLost.__new__(AnswerLost), confirmation(agent))
    again = await register(web, confirmation(agent))
    assert (again.is_new, again.ticket.number) == (False, "20261122-000001")


async def test_former_tickets_are_found_by_exactly_the_number(web: Database, agent: str) -> None:
    for call in range(12):
        at = AT + timedelta(minutes=call)
        await register(web, confirmation(agent, f"node-1.{call}", confirmed_at=at))
    other = confirmation(agent, "node-2.1", caller_number="1380013800")
    withheld = confirmation(agent, "node-2.2", caller_number="")
    await register(web, other)
    await register(web, withheld)
    former = await TicketStore(web).former_tickets("13800138000")
    assert [each.number[-2:] for each in former] == [f"{n:02}" for n in range(12, 2, -1)]
    assert await TicketStore(web).former_tickets("") == []


async def test_unknown_agent_is_refused_by_the_database(web: Database) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await register(web, confirmation(str(uuid.uuid4())))


async def test_ticket_leads_to_call_recording_and_transcript(
    web: Database, bridge: Database, agent: str, database: TestDatabase
) -> None:
    records = PostgresRecords(bridge)
    call = CallId("node-1.1")
    facts = CallFacts(
        call=call, caller_number="13800138000", caller_name="", called_number="12345",
        arrived_at=AT,
    )  # fmt: skip
    await register(web, confirmation(agent))
    await records.keep_call(facts)  # the call may be entered after its ticket
    await records.keep_recording(call, "2026/11/22/node-1.1.wav", "ab" * 32)
    reader = PostgresRecords(web)
    stored, recording = await reader.find_call(call), await reader.recording(call)
    assert stored is not None
    assert stored.facts == facts
    assert recording is not None
    assert recording.path == "2026/11/22/node-1.1.wav"
