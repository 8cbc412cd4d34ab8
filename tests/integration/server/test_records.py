"""Calls, rings, words and drafts in PostgreSQL: written late, twice or out of order."""

from datetime import UTC, datetime, timedelta

from base.database import Connection, Database
from base.ids import AgentId, CallId, RingId
from server.live.records import CallFacts, Records
from server.push.protocol import Line
from server.records.postgres import SQL, PostgresRecords
from telephony.events import Outcome
from tests.integration.tickets.test_registration import confirmation
from tickets.registration import register
from transcription.draft_ticket import Draft, DraftField, Evidence, FieldName, Speaker
from transcription.engine import Word

AT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
CALL = CallId("node-1.1")
NUMBER = "13800138000"


def facts(call: CallId = CALL, **changed: object) -> CallFacts:
    values: dict[str, object] = {
        "call": call,
        "caller_number": NUMBER,
        "caller_name": "王先生",
        "called_number": "12345",
        "arrived_at": AT,
    }
    return CallFacts(**(values | changed))  # type: ignore[arg-type]


def line(number: int = 0, revision: int = 0, text: str = "你好") -> Line:
    return Line(
        id=f"citizen-{number}",
        speaker="citizen",
        number=number,
        revision=revision,
        text=text,
        start_s=float(number),
        end_s=number + 0.5,
        is_final=True,
        confidence=0.75,
    )


async def test_the_store_is_what_the_live_desk_asks_for(bridge: Database) -> None:
    records: Records = PostgresRecords(bridge)
    assert await records.find_call(CALL) is None


async def test_known_facts_are_never_erased_by_unknown_ones(bridge: Database) -> None:
    records = PostgresRecords(bridge)
    full = facts(
        queue="hotline",
        queued_at=AT + timedelta(seconds=5),
        agent=AgentId("1001"),
        answered_at=AT + timedelta(seconds=9),
        ended_at=AT + timedelta(seconds=99),
        outcome=Outcome.ANSWERED,
    )
    await records.keep_call(full)
    late = AT + timedelta(hours=1)
    await records.keep_call(
        facts(caller_number="", caller_name="", called_number="", arrived_at=late)
    )
    stored = await records.find_call(CALL)
    assert stored is not None
    assert stored.facts == full


async def test_who_followed_a_call_whole_is_right_about_its_end_whoever_writes_last(
    bridge: Database,
) -> None:
    records = PostgresRecords(bridge)
    guess = facts(ended_at=AT + timedelta(seconds=70), outcome=Outcome.ABANDONED)
    await records.keep_call(guess)
    assert [each.call for each in await records.unsettled_calls()] == [CALL]
    whole = facts(
        agent=AgentId("1001"),
        answered_at=AT + timedelta(seconds=9),
        ended_at=AT + timedelta(seconds=60),
        outcome=Outcome.ANSWERED,
        is_settled=True,
    )
    await records.keep_call(whole)
    await records.keep_call(guess)
    stored = await records.find_call(CALL)
    assert stored is not None
    assert stored.facts == whole
    assert await records.unsettled_calls() == []
    assert await records.settled_of([CALL, CallId("node-1.2")]) == {CALL: True}


async def test_a_call_without_an_end_is_never_settled(bridge: Database) -> None:
    records = PostgresRecords(bridge)
    await records.keep_call(facts())
    await records.settle_calls([CALL])
    assert await records.settled_of([CALL]) == {CALL: False}
    await records.keep_call(facts(ended_at=AT))
    await records.settle_calls([CALL])
    assert await records.settled_of([CALL]) == {CALL: True}


async def test_how_far_calls_were_followed_is_kept_and_never_goes_back(bridge: Database) -> None:
    records = PostgresRecords(bridge)
    await records.keep_followed()
    assert await records.followed_to() is None
    await records.keep_call(facts())
    await records.keep_followed()
    await records.keep_call(facts(arrived_at=AT - timedelta(hours=1)))
    await records.keep_followed()
    assert await records.followed_to() == AT


async def test_emergency_call_is_stored_with_its_line(bridge: Database) -> None:
    records = PostgresRecords(bridge)
    emergency = facts(outcome=Outcome.EMERGENCY, emergency_line="119", ended_at=AT)
    await records.keep_call(emergency)
    stored = await records.find_call(CALL)
    assert stored is not None
    assert stored.facts == emergency


async def test_ring_is_stored_once_and_its_first_end_stays(
    bridge: Database, owner: Connection
) -> None:
    records = PostgresRecords(bridge)
    ring = RingId("node-1.7")
    for _ in range(2):
        await records.keep_ring(ring, CALL, AgentId("1001"), AT)
    await records.end_ring(ring, "answered", AT)
    await records.end_ring(ring, "caller_left", AT + timedelta(seconds=1))
    [row] = await owner.fetch("SELECT agent, ended_by, ended_at FROM rings")
    assert tuple(row) == ("1001", "answered", AT)


async def test_line_gives_way_only_to_a_higher_revision(
    bridge: Database, owner: Connection
) -> None:
    records = PostgresRecords(bridge)
    await records.keep_call(facts())
    words = (Word("你", 0.0, 0.2, 0.9), Word("好", 0.2, 0.5, None))
    for revision, text in ((3, "您好"), (2, "泥好"), (3, "另一个"), (5, "你好啊")):
        await records.keep_line(CALL, line(0, revision, text), words, "vosk", "demo-zh")
    await records.keep_line(CALL, line(1, 0, "再见"), (), "vosk", "demo-zh")
    stored = await records.find_call(CALL)
    assert stored is not None
    assert [(each.id, each.revision, each.text) for each in stored.lines] == [
        ("citizen-0", 5, "你好啊"),
        ("citizen-1", 0, "再见"),
    ]
    assert (stored.engine, stored.model) == ("vosk", "demo-zh")
    kept = await owner.fetchval("SELECT words FROM utterances WHERE number = 0")
    assert kept[0] == {"text": "你", "start_s": 0.0, "end_s": 0.2, "confidence": 0.9}


async def test_draft_comes_back_as_it_was_and_never_goes_back_a_version(bridge: Database) -> None:
    records = PostgresRecords(bridge)
    await records.keep_call(facts())
    evidence = Evidence(speaker=Speaker.CITIZEN, utterance=2, start=0, end=3, text="经十路")
    machine = Draft({FieldName.PLACE: DraftField("经十路", 0.8, (evidence,))})
    edits = {FieldName.SUMMARY: "夜间施工"}
    await records.keep_draft(CALL, 2, machine, edits, AT)
    await records.keep_draft(CALL, 1, Draft({}), {}, AT)
    stored = await records.find_call(CALL)
    assert stored is not None
    assert stored.draft is not None
    assert (stored.draft.version, stored.draft.machine, stored.draft.edits) == (2, machine, edits)
    assert stored.draft.ticket_number is None


async def test_history_has_ten_calls_and_tickets_of_exactly_this_number(
    bridge: Database, web: Database, agent: str
) -> None:
    records = PostgresRecords(bridge)
    for number in range(12):
        call = CallId(f"node-1.{number}")
        at = AT + timedelta(minutes=number)
        await records.keep_call(facts(call, arrived_at=at, outcome=Outcome.ANSWERED))
    await records.keep_call(facts(CallId("node-2.1"), caller_number="1380013800"))
    await records.keep_call(facts(CallId("node-2.2"), caller_number=""))
    ticket = (await register(web, confirmation(agent, "node-1.9"))).ticket
    history = await records.history(NUMBER, CallId("node-1.11"))
    assert [call.call for call in history.calls] == [f"node-1.{n}" for n in range(10, 0, -1)]
    assert history.calls[1].ticket_number == ticket.number
    assert [each.number for each in history.tickets] == [ticket.number]
    assert history.tickets[0].state == "registered"
    assert (await records.history("", CALL)).calls == []


async def test_history_of_a_busy_number_reads_an_index_and_not_the_table(
    owner: Connection, agent: str
) -> None:
    await owner.execute(
        "INSERT INTO calls (id, caller_number, arrived_at)"
        " SELECT 'c' || n, '1390000' || lpad((n % 5000)::text, 4, '0'),"
        " now() - n * interval '1 minute' FROM generate_series(1, 50000) n"
    )
    await owner.execute(
        "INSERT INTO tickets (id, number, call_id, channel, type, topic, title, content, demand,"
        " place, occurred, urgency, caller_name, caller_number, contact_number, wants_reply,"
        " confidential, state, draft, created_by, created_at)"
        " SELECT gen_random_uuid(), '20261122-' || lpad(n::text, 6, '0'), 'c' || n, 'phone',"
        " 'help', '', '', '', 'x', '', '', 'normal', '',"
        " '1390000' || lpad((n % 5000)::text, 4, '0'), '', true, false, 'registered', '{}',"
        f" '{agent}', now() - n * interval '1 minute' FROM generate_series(1, 20000) n"
    )
    await owner.execute("ANALYZE calls; ANALYZE tickets")
    plan = await owner.fetch("EXPLAIN ANALYZE " + SQL["former_calls"], "13900000007", "c7", 10)
    text = "\n".join(row[0] for row in plan)
    assert "calls_by_caller" in text
    assert "Seq Scan" not in text


async def test_last_unconfirmed_is_the_agents_latest_ended_call_unless_it_has_its_ticket(
    bridge: Database, web: Database, agent: str
) -> None:
    records = PostgresRecords(bridge)
    me = AgentId("1001")
    for number in range(3):
        call = CallId(f"node-1.{number}")
        ended_at = AT + timedelta(minutes=number)
        await records.keep_call(facts(call, agent=me, ended_at=ended_at))
    await records.keep_call(facts(CallId("node-1.9"), agent=me))
    assert await records.last_unconfirmed(me) == "node-1.2"
    await register(web, confirmation(agent, "node-1.2"))
    assert await records.last_unconfirmed(me) is None
    assert await records.last_unconfirmed(AgentId("1002")) is None
