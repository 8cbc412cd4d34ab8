"""The live desk through kills and losses: nothing lost, nothing doubled, nothing stuck."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from base.database import Connection, connect
from base.ids import AgentId, CallId
from server.live.commands import DraftSettled, EditDraft, SetAgentState
from server.live.forks import ABSENT_S
from server.live.journal import Journal
from server.live.scribe import Scribe
from server.live.speech_feed import CURSOR_KEY
from server.live.stream_book import book_key
from server.roles.bridge_parts import build_centre
from server.roles.speech import STATE_EVERY_S
from server.settings import Settings
from telephony.events import LinkChanged, Outcome
from telephony.past_calls import PastCall
from tests.conftest import TestDatabase, TestValkey
from tests.fakes.drafts import draft_here, no_draft
from tests.fakes.live_bridge import LiveBridge, until
from tests.fakes.records import FakeRecords
from tests.fakes.switch import FakeSwitch
from transcription.draft_reader import DraftNotRead
from transcription.draft_ticket import Draft, Speaker, Utterance


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveBridge]:
    async with LiveBridge(settings) as made:
        await made.make_ready("1001")
        await made.until_view(lambda view: view.links.speech == "up", what="speech")
        yield made


async def rows(owner: Connection, sql: str, *, least: int, timeout_s: float = 30.0) -> list[object]:
    until_mono = time.monotonic() + timeout_s
    found: list[object] = []
    while time.monotonic() < until_mono:
        found = [tuple(row) for row in await owner.fetch(sql)]
        if len(found) >= least:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{sql}: {found}")


async def test_restarted_bridge_hears_the_old_streams_and_no_word_twice(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    stream = await live.begin(call)
    await live.begin(call, Speaker.AGENT)
    await live.say(call, stream, 0, "水管爆了")
    await live.say(call, stream, 1, "在人民路")
    await rows(owner, "SELECT 1 FROM utterances", least=2)
    before = await live.until_view(lambda view: len(view.lines) == 2)
    await live.kill()
    await live.redis.delete(CURSOR_KEY)  # it died before it kept its place: all is heard again
    await live.redis.set(CURSOR_KEY, "0-0")
    live.start()
    await live.say(call, stream, 2, "请快一点")
    view = await live.until_view(lambda view: len(view.lines) >= 3)
    assert live.texts(view) == ["水管爆了", "在人民路", "请快一点"]
    assert [line.id for line in view.lines] == ["citizen-0", "citizen-1", "citizen-2"]
    assert view.lines[:2] == before.lines
    assert view.lines[2].start_s - before.lines[0].start_s == pytest.approx(2.0)
    assert view.call is not None
    assert before.call is not None
    assert view.call.answered_at == before.call.answered_at
    assert (view.call.speech, view.call.engine) == ("live", "fake")
    assert len(live.switch.forks) == 2
    stored = await rows(owner, "SELECT number, text FROM utterances ORDER BY number", least=3)
    assert stored == [(0, "水管爆了"), (1, "在人民路"), (2, "请快一点")]
    # A second stream of a heard leg would say everything twice: it is not listened to.
    foreign = type(stream)("00000000-0000-0000-0000-000000000000")
    await live.say(call, foreign, 0, "水管爆了")
    await live.say(call, stream, 3, "谢谢")
    view = await live.until_view(lambda view: "谢谢" in live.texts(view))
    assert live.texts(view) == ["水管爆了", "在人民路", "请快一点", "谢谢"]


async def test_speech_role_killed_and_back_at_once_is_forked_to_again_once(
    live: LiveBridge,
) -> None:
    call = await live.answered_call()
    old = await live.begin(call)
    await live.begin(call, Speaker.AGENT)
    await live.until_view(lambda v: v.call is not None and v.call.speech == "live")
    live.switch.broken_forks.update(live.streams(call).values())
    await until(lambda: len(live.switch.forks) == 4)
    new = await live.begin(call)
    await live.begin(call, Speaker.AGENT)
    assert new != old
    await live.say(call, new, 0, "还在吗")
    view = await live.until_view(lambda v: live.texts(v) == ["还在吗"])
    assert view.call is not None
    assert view.call.speech == "live"
    assert len(live.switch.forks) == 4


async def test_a_reader_of_drafts_that_is_away_holds_up_no_word_and_reads_on_its_return(
    settings: Settings,
) -> None:
    is_away = True

    async def read(utterances: Sequence[Utterance], number: str, now: datetime) -> Draft:
        if is_away:
            raise DraftNotRead
        return await draft_here(utterances, number, now)

    async with LiveBridge(settings, extract=read) as live:
        await live.make_ready("1001")
        call = await live.answered_call()
        await live.say(call, await live.begin(call), 0, "人民路的路灯坏了")
        view = await live.until_view(lambda view: live.texts(view) == ["人民路的路灯坏了"])
        assert view.draft is not None
        assert view.draft.fields == {}
        is_away = False
        await live.until_view(lambda view: view.draft is not None and "place" in view.draft.fields)


async def test_nobody_waits_for_a_draft_that_is_being_read(settings: Settings) -> None:
    """Words and pops go on, and the next reading is of the words that came meanwhile."""
    may_read, readings = asyncio.Event(), list[int]()

    async def read(utterances: Sequence[Utterance], number: str, now: datetime) -> Draft:
        readings.append(len(utterances))
        await may_read.wait()
        return await draft_here(utterances, number, now)

    async with LiveBridge(settings, extract=read) as live:
        await live.make_ready("1001", "1002")
        call = await live.answered_call()
        stream = await live.begin(call)
        await live.say(call, stream, 0, "人民路的路灯坏了")
        await until(lambda: bool(readings))
        await live.say(call, stream, 1, "已经三天了")
        await live.say(call, stream, 2, "请派人来")
        await live.until_view(lambda view: len(view.lines) == 3)
        other = live.switch.arrive("13900139000")
        live.switch.queue(other)
        live.switch.ring(other, "1002")
        await live.until_view(lambda view: view.pop is not None, "1002", "the pop")
        assert readings == [1]
        may_read.set()
        await live.until_view(lambda view: view.draft is not None and "place" in view.draft.fields)
        assert readings == [1, 3]


async def test_emptied_redis_gets_the_desks_back_and_words_go_on_without_new_forks(
    live: LiveBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ABSENT_S > STATE_EVERY_S
    monkeypatch.setattr("server.live.forks.ABSENT_S", 20.0)  # a busy machine renews it late
    call = await live.answered_call()
    stream = await live.begin(call)
    await live.begin(call, Speaker.AGENT)
    await live.say(call, stream, 0, "第一句")
    await live.until_view(lambda view: len(view.lines) == 1)
    live.is_speech_up = False  # its sign is missing until it is renewed
    await live.redis.flushall()
    await live.say(call, stream, 1, "第二句")
    await asyncio.sleep(STATE_EVERY_S)
    live.is_speech_up = True
    view = await live.until_view(lambda view: live.texts(view) == ["第一句", "第二句"])
    assert view.call is not None
    assert view.call.speech == "live"
    assert len(live.switch.forks) == 2
    async with asyncio.timeout(15):
        while await live.redis.hlen(book_key(call)) != 2:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.1)


async def test_redis_killed_and_started_empty_in_a_call(
    live: LiveBridge, valkey: TestValkey
) -> None:
    call = await live.answered_call()
    stream = await live.begin(call)
    await live.begin(call, Speaker.AGENT)
    await live.say(call, stream, 0, "第一句")
    await live.until_view(lambda view: len(view.lines) == 1)
    await asyncio.to_thread(valkey.service.stop)
    await asyncio.sleep(2.5)
    await asyncio.to_thread(valkey.service.start)
    await live.redis.flushall()
    await live.say(call, stream, 1, "第二句")
    view = await live.until_view(lambda view: live.texts(view) == ["第一句", "第二句"])
    assert view.call is not None
    assert view.call.speech == "live"
    assert len(live.switch.forks) == 2
    live.switch.hang_up(call)
    await live.until_view(lambda view: view.me.state == "wrap_up")
    await live.ask(SetAgentState(agent="1001", wish="go_ready"))
    await live.until_view(lambda view: view.call is None and view.me.state == "ready")


async def test_bridge_killed_while_postgresql_is_away_loses_and_doubles_nothing(
    live: LiveBridge, database: TestDatabase, owner: Connection
) -> None:
    first = await live.answered_call("13800138001")
    stream = await live.begin(first)
    await live.say(first, stream, 0, "水管爆了")
    await rows(owner, "SELECT 1 FROM utterances", least=1)
    postgres = database.cluster.postgres
    await asyncio.to_thread(postgres.stop)
    try:
        await live.say(first, stream, 1, "在人民路")
        await live.ask(EditDraft(agent="1001", call=first, field="place", value="人民南路"))
        await live.until_view(lambda view: view.links.database == "down", what="the banner")
        live.switch.hang_up(first)
        await live.until_view(lambda view: view.me.state == "wrap_up")
        await live.ask(
            DraftSettled(agent="1001", call=first, saved="kept_on_disk", ticket_number=None)
        )
        second = await live.answered_call("13800138002")
        other = await live.begin(second)
        await live.say(second, other, 0, "路灯不亮")
        await live.ask(EditDraft(agent="1001", call=second, field="place", value="经十路"))
        await live.until_view(lambda view: live.texts(view) == ["路灯不亮"])
        await live.restart()
        await live.say(second, other, 1, "三天了")
        view = await live.until_view(lambda view: live.texts(view) == ["路灯不亮", "三天了"])
        assert view.draft is not None
        assert view.draft.fields["place"].value == "经十路"
        abandoned = live.switch.arrive("13800138003")
        await until(lambda: abandoned in live.switch.snapshot().calls)
        live.switch.hang_up(abandoned)
        await until(lambda: abandoned not in live.switch.snapshot().calls)
        await live.restart()
    finally:
        await asyncio.to_thread(postgres.start)
    live.switch.hang_up(second)
    owner = await connect(database.url("owner"), name="test")
    try:
        found = await rows(
            owner,
            "SELECT caller_number, outcome FROM calls WHERE ended_at IS NOT NULL"
            " ORDER BY caller_number",
            least=3,
        )
        assert found == [
            ("13800138001", "answered"),
            ("13800138002", "answered"),
            ("13800138003", "abandoned"),
        ]
        lines = await rows(
            owner, "SELECT call_id, number, text FROM utterances ORDER BY call_id, number", least=4
        )
        assert lines == [
            (first, 0, "水管爆了"),
            (first, 1, "在人民路"),
            (second, 0, "路灯不亮"),
            (second, 1, "三天了"),
        ]
        rings = await rows(owner, "SELECT call_id, ended_by FROM rings ORDER BY call_id", least=2)
        assert rings == [(first, "answered"), (second, "answered")]
        drafts = await rows(owner, "SELECT call_id, agent FROM drafts ORDER BY call_id", least=2)
        assert drafts == [(first, {"place": "人民南路"}), (second, {"place": "经十路"})]
    finally:
        await owner.close()


def past(call: CallId, number: str, *, ended_at: datetime, agent: str | None) -> PastCall:
    answered_at = None if agent is None else ended_at - timedelta(seconds=20)
    return PastCall(
        call=call,
        caller_number=number,
        caller_name="",
        called_number="12345",
        arrived_at=ended_at - timedelta(seconds=30),
        queue="hotline",
        agent=None if agent is None else AgentId(agent),
        queued_at=ended_at - timedelta(seconds=28),
        answered_at=answered_at,
        ended_at=ended_at,
        outcome=Outcome.ABANDONED if agent is None else Outcome.ANSWERED,
    )


async def test_calls_of_the_gap_are_closed_and_entered_and_the_draft_comes_back(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    stream = await live.begin(call)
    await live.say(call, stream, 0, "水管爆了")
    await live.ask(EditDraft(agent="1001", call=call, field="place", value="人民南路"))
    await rows(owner, "SELECT 1 FROM drafts", least=1)
    ringing = live.switch.arrive("13800138009")
    live.switch.ring(ringing, "1002")
    await rows(owner, "SELECT 1 FROM rings", least=2)
    await live.kill()
    live.switch.hang_up(call)
    live.switch.hang_up(ringing)
    ended_at = datetime.now(UTC).replace(microsecond=0)
    unseen = CallId("fake-1700000001.99")

    def books(since: datetime) -> Sequence[PastCall]:
        assert since < ended_at
        return [
            past(call, "13800138000", ended_at=ended_at, agent="1001"),
            past(unseen, "13800138008", ended_at=ended_at, agent=None),
        ]

    live.read_books = books
    live.start()
    view = await live.until_view(lambda view: view.me.state == "wrap_up", what="the wrap-up")
    me = AgentId("1001")
    await until(lambda: live.switch.snapshot().agents[me].pause_reason == "wrap_up")
    view = await live.until_view(lambda view: view.call is not None and view.call.call == call)
    assert live.texts(view) == ["水管爆了"]
    assert view.draft is not None
    assert view.draft.fields["place"].value == "人民南路"
    found = await rows(
        owner,
        "SELECT caller_number, outcome FROM calls WHERE ended_at IS NOT NULL"
        " ORDER BY caller_number",
        least=3,
    )
    assert found == [
        ("13800138000", "answered"),
        ("13800138008", "abandoned"),
        ("13800138009", "failed"),  # the books know nothing of it
    ]
    assert await owner.fetchval("SELECT ended_at FROM calls WHERE id = $1", call) == ended_at
    await rows(owner, "SELECT 1 FROM rings WHERE ended_at IS NOT NULL", least=2)
    assert await owner.fetchval("SELECT count(*) FROM rings WHERE ended_at IS NULL") == 0
    await live.ask(
        DraftSettled(agent="1001", call=call, saved="entered", ticket_number="20261122-000001")
    )
    await live.until_view(lambda view: view.me.state == "ready" and view.call is None)


async def test_link_gap_without_a_restart_gets_the_true_end_of_its_calls(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    ended_at = datetime.now(UTC) - timedelta(minutes=5)
    live.switch.lose_link()
    await live.until_view(lambda view: view.links.telephony == "down")
    live.switch.hang_up(call)
    await live.kill()
    live.read_books = lambda since: [past(call, "13800138000", ended_at=ended_at, agent="1001")]
    live.start()
    await live.until_view(lambda view: view.call is not None and view.me.state == "wrap_up")
    found = await rows(owner, "SELECT ended_at FROM calls WHERE ended_at IS NOT NULL", least=1)
    assert found == [(ended_at,)]


async def test_an_answer_in_a_gap_is_found_though_the_bridge_is_killed_again_before_the_end(
    live: LiveBridge, owner: Connection
) -> None:
    """The agent comes and goes unseen; the caller stays for the satisfaction question."""
    call = live.switch.arrive("13800138000")
    live.switch.queue(call)
    ring = live.switch.ring(call, "1001")
    await live.until_view(lambda view: view.pop is not None, what="the pop")
    await live.kill()
    live.switch.answer(call, ring)
    live.switch.agent_leaves(call)
    for _ in range(2):
        before = await live.epoch()
        live.start()
        await live.until_new(before, lambda view: view.links.telephony == "up" and not view.pop)
        await live.kill()
    ended_at = datetime.now(UTC).replace(microsecond=0)
    found: list[PastCall] = []
    live.read_books = lambda since: found
    before = await live.epoch()
    live.start()
    await live.until_new(before, lambda view: view.links.telephony == "up")
    live.switch.hang_up(call)
    await rows(owner, "SELECT 1 FROM calls WHERE ended_at IS NOT NULL", least=1)
    found.append(past(call, "13800138000", ended_at=ended_at, agent="1001"))
    told = "SELECT id, outcome FROM calls WHERE answered_at IS NOT NULL AND is_settled"
    assert await rows(owner, told, least=1) == [(call, "answered")]


async def test_a_call_that_was_followed_whole_is_settled_and_the_books_stay_shut(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    live.switch.hang_up(call)
    assert await rows(owner, "SELECT id FROM calls WHERE is_settled", least=1) == [(call,)]


async def test_without_an_engine_no_fork_is_asked_for(settings: Settings) -> None:
    silent = replace(settings, speech=replace(settings.speech, engine="off"))
    async with LiveBridge(silent) as live:
        live.is_speech_up = False
        await live.until_view(lambda view: view.links.telephony == "up")
        call = live.switch.arrive("13800138000")
        live.switch.queue(call)
        live.switch.answer(call, live.switch.ring(call, "1001"))
        view = await live.until_view(lambda v: v.call is not None)
        assert view.call is not None
        assert view.call.speech == "off"
        live.switch.hang_up(call)
        await live.until_view(lambda v: v.me.state == "wrap_up")
        assert live.switch.forks == []


async def test_words_that_end_after_a_quick_confirmation_are_the_tickets_too(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    stream = await live.begin(call)
    await live.begin(call, Speaker.AGENT)
    await live.say(call, stream, 0, "水管爆了")
    await live.until_view(lambda view: len(view.lines) == 1)
    live.switch.hang_up(call)
    await live.until_view(lambda view: view.me.state == "wrap_up")
    settled = DraftSettled(
        agent="1001", call=call, saved="entered", ticket_number="20261122-000001"
    )
    await live.ask(settled)
    await live.until_view(lambda view: view.call is None)
    await live.say(call, stream, 1, "就这些")  # the decoder ends a second after the hang-up
    for speaker, fork in live.streams(call).items():
        await live.end_stream(call, fork, speaker)
    stored = await rows(owner, "SELECT number, text FROM utterances ORDER BY number", least=2)
    assert stored == [(0, "水管爆了"), (1, "就这些")]
    view = await live.view()
    assert view is not None
    assert view.lines == []  # the desk may show another call


async def test_a_bridge_that_ends_in_order_writes_what_waits_for_redis(
    settings: Settings, live: LiveBridge
) -> None:
    await live.kill()
    switch = FakeSwitch(*settings.agents)
    records = FakeRecords()
    scribe = Scribe(records, Journal(settings.home / "test.journal"))
    centre = build_centre(settings, switch, live.redis, records, scribe, extract=no_draft)
    await centre.on_telephony(LinkChanged(is_up=True, at=datetime.now(UTC)))
    await centre.tick()
    await centre.on_telephony(LinkChanged(is_up=False, at=datetime.now(UTC)))
    await centre.close()
    view = await live.view()
    assert view is not None
    assert view.links.telephony == "down"
