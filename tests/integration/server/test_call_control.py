"""What an agent does inside a call, and calls out: shown, refused, and kept in the records."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from base.database import Connection
from base.ids import AttemptId, CallId
from server.live.commands import (
    CallAction,
    CommandRefused,
    ControlCall,
    DialOut,
    RecordConsent,
    SetAgentState,
)
from server.push.protocol import CallCard, PartyKind
from server.settings import Settings
from telephony.events import AttemptResult, ConsultState
from tests.fakes.live_bridge import LiveBridge, until
from tests.integration.server.test_live_faults import rows
from transcription.draft_ticket import Speaker

UNIT, OUTSIDE = "057188880001", "13800138222"


@pytest.fixture
def pack() -> str:
    return "jinan_2018"


@pytest.fixture
async def live(settings: Settings, pack: str) -> AsyncIterator[LiveBridge]:
    city = replace(settings, pack=pack, outbound_trunk="127.0.0.1:5060")
    async with LiveBridge(city) as made:
        await made.make_ready("1001")
        yield made


async def do(
    live: LiveBridge,
    call: CallId,
    action: CallAction,
    number: str = "",
    kind: PartyKind = "outside",
    reason: str = "",
) -> None:
    await live.ask(
        ControlCall(agent="1001", call=call, action=action, number=number, kind=kind, reason=reason)
    )


async def until_card(live: LiveBridge, wanted: Callable[[CallCard], bool]) -> CallCard:
    view = await live.until_view(lambda view: view.call is not None and wanted(view.call))
    assert view.call is not None
    return view.call


async def refusal(live: LiveBridge, *request: str) -> CommandRefused:
    call, action, *more = request
    with pytest.raises(CommandRefused) as refused:
        await do(live, CallId(call), action, *more)  # type: ignore[arg-type]
    return refused.value


async def test_hold_and_resume_show_on_card_and_state(live: LiveBridge) -> None:
    call = await live.answered_call()
    await do(live, call, "hold")
    await until_card(live, lambda card: card.is_held)
    await live.until_view(lambda view: view.me.state == "holding")
    assert (await refusal(live, call, "hold")).code == "telephony_not_done"
    await do(live, call, "resume")
    await until_card(live, lambda card: not card.is_held)
    await live.until_view(lambda view: view.me.state == "talking")


@pytest.mark.requirement("R026")
async def test_three_way_with_a_unit_is_shown_and_kept_with_its_outcome(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    await do(live, call, "consult", UNIT, "unit")
    card = await until_card(live, lambda card: card.party is not None)
    assert card.party is not None
    assert (card.party.number, card.party.kind, card.party.state) == (UNIT, "unit", "ringing")
    live.switch.control.asked(call, ConsultState.ANSWERED)
    await until_card(live, lambda card: card.party is not None and card.party.state == "talking")
    await do(live, call, "three_way")
    await until_card(live, lambda card: card.party is not None and card.party.state == "joined")
    await live.until_view(lambda view: view.me.state == "talking")
    live.switch.hang_up(call)
    found = await rows(
        owner,
        "SELECT number, kind, outcome, answered_at IS NOT NULL, joined_at IS NOT NULL"
        " FROM call_parties WHERE ended_at IS NOT NULL",
        least=1,
    )
    assert found == [(UNIT, "unit", "three_way", True, True)]


@pytest.mark.requirement("R026")
async def test_warm_transfer_can_be_called_off_or_carried_through(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    await do(live, call, "consult", "1002")
    await do(live, call, "resume")
    await until_card(live, lambda card: card.party is None and not card.is_held)
    await do(live, call, "consult", UNIT, "unit")
    live.switch.control.asked(call, ConsultState.ANSWERED)
    await until_card(live, lambda card: card.party is not None and card.party.state == "talking")
    await do(live, call, "hand_over")
    await live.until_view(lambda view: view.me.state == "wrap_up")
    assert call in live.switch.snapshot().calls
    live.switch.hang_up(call)
    found = await rows(
        owner,
        "SELECT number, kind, outcome FROM call_parties WHERE ended_at IS NOT NULL"
        " ORDER BY began_at",
        least=2,
    )
    assert found == [("1002", "colleague", "called_off"), (UNIT, "unit", "handed_over")]


@pytest.mark.parametrize("is_wrapped_up", [False, True], ids=["wraps_up_still", "is_ready_again"])
async def test_a_caller_who_was_sent_on_to_nobody_is_known_and_heard_at_the_next_desk(
    live: LiveBridge, owner: Connection, is_wrapped_up: bool
) -> None:
    await live.ask(SetAgentState(agent="1002", wish="go_ready"))
    call = await live.answered_call("13800138000")
    stream = await live.begin(call)
    of_agent = await live.begin(call, Speaker.AGENT)
    await live.say(call, stream, 0, "人民路的路灯坏了")
    await rows(owner, "SELECT 1 FROM utterances", least=1)
    await do(live, call, "send_on", UNIT, "unit")
    await live.until_view(lambda view: view.me.state == "wrap_up")
    live.switch.broken_forks.add(of_agent)
    await live.end_stream(call, of_agent, Speaker.AGENT)

    async def wrap_up() -> None:
        await live.ask(SetAgentState(agent="1001", wish="go_ready"))
        await live.until_view(lambda view: view.call is None, what="the empty desk")

    if is_wrapped_up:
        await wrap_up()
    live.switch.queue(call)
    ring = live.switch.ring(call, "1002")
    view = await live.until_view(lambda view: view.pop is not None, "1002", "the pop")
    assert view.pop is not None
    assert view.pop.caller_number == "13800138000"
    live.switch.answer(call, ring)
    await until(lambda: len(live.switch.forks) == 3)  # the caller's own stands still
    await live.begin(call, Speaker.AGENT)
    await live.until_view(lambda v: v.call is not None and v.call.speech == "live", "1002")
    if not is_wrapped_up:
        await wrap_up()
    await live.say(call, stream, 1, "请快一点")
    view = await live.until_view(lambda view: len(view.lines) == 2, "1002", "the words")
    assert live.texts(view) == ["人民路的路灯坏了", "请快一点"]
    assert view.call is not None
    assert view.call.ended_at is None
    assert await owner.fetchval("SELECT count(*) FROM calls WHERE ended_at IS NOT NULL") == 0
    live.switch.hang_up(call)
    await live.until_view(lambda view: view.me.state == "wrap_up", "1002")
    stored = await rows(owner, "SELECT number, text FROM utterances ORDER BY number", least=2)
    assert stored == [(0, "人民路的路灯坏了"), (1, "请快一点")]
    ended = "SELECT caller_number, agent, is_settled FROM calls WHERE ended_at IS NOT NULL"
    assert await rows(owner, ended, least=1) == [("13800138000", "1002", True)]


class TestWhereTheLawAsksForConsent:
    @pytest.fixture
    def pack(self) -> str:
        return "tongliao_2024"

    @pytest.mark.requirement("R025", city="tongliao_2024")
    @pytest.mark.parametrize(
        ("action", "kind", "outside"),
        [
            ("consult", "expert", "expert_seat"),
            ("consult", "unit", "transfer"),
            ("send_on", "outside", "transfer"),
        ],
    )
    async def test_nobody_joins_before_the_caller_agreed(
        self, live: LiveBridge, owner: Connection, action: str, kind: str, outside: str
    ) -> None:
        call = await live.answered_call()
        card = await until_card(live, lambda card: bool(card.consent_for))
        assert set(card.consent_for) == {"expert_seat", "transfer", "three_way"}
        assert card.consent_script
        refused = await refusal(live, call, action, UNIT, kind)
        assert (refused.code, refused.params["wish"]) == ("consent_missing", outside)
        assert "第十五条" in str(refused.params["article"])
        await live.ask(RecordConsent(agent="1001", call=call, is_given=False))
        assert (await refusal(live, call, action, UNIT, kind)).code == "consent_missing"
        await live.ask(RecordConsent(agent="1001", call=call, is_given=True))
        await until_card(live, lambda card: card.consent == "given")
        await do(live, call, action, UNIT, kind)  # type: ignore[arg-type]
        answers = "SELECT call_id, agent, is_given FROM consents ORDER BY at"
        found = await rows(owner, answers, least=2)
        assert found == [(call, "1001", False), (call, "1001", True)]

    async def test_colleagues_and_emergencies_need_none(self, live: LiveBridge) -> None:
        call = await live.answered_call()
        await do(live, call, "consult", "1002", "unit")
        await do(live, call, "resume")
        await do(live, call, "send_on", "119")
        assert live.switch.control.sent_on == [(call, "119")]

    async def test_a_restarted_bridge_knows_the_consent(
        self, live: LiveBridge, owner: Connection
    ) -> None:
        call = await live.answered_call()
        await live.ask(RecordConsent(agent="1001", call=call, is_given=True))
        await rows(owner, "SELECT 1 FROM consents", least=1)
        await live.kill()
        await live.redis.flushall()
        live.start()
        await until_card(live, lambda card: card.consent == "given")
        await do(live, call, "consult", UNIT, "unit")


async def test_where_the_law_asks_for_no_consent_nobody_is_held_up(live: LiveBridge) -> None:
    call = await live.answered_call()
    card = await until_card(live, lambda card: True)
    assert card.consent_for == []
    await do(live, call, "consult", UNIT, "expert")


async def test_what_does_not_fit_is_refused_with_its_code(live: LiveBridge) -> None:
    call = await live.answered_call()
    assert (await refusal(live, "gone-1.1", "hold")).code == "call_not_on_desk"
    assert (await refusal(live, call, "consult", "110")).code == "call_target_refused"
    assert (await refusal(live, call, "consult", "1001")).code == "call_target_refused"
    assert (await refusal(live, call, "three_way")).code == "telephony_not_done"
    assert (await refusal(live, call, "pause_recording")).code == "reason_missing"
    live.switch.hang_up(call)
    await live.until_view(lambda view: view.me.state == "wrap_up")
    assert (await refusal(live, call, "hold")).code == "call_not_in_talk"


async def test_recording_is_paused_with_a_reason_and_goes_on_when_the_agent_leaves(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    await do(live, call, "pause_recording", reason="报身份证号")
    await until_card(live, lambda card: card.is_recording_paused)
    await do(live, call, "resume_recording")
    await until_card(live, lambda card: not card.is_recording_paused)
    await do(live, call, "pause_recording", reason="报银行卡号")
    await until_card(live, lambda card: card.is_recording_paused)
    await live.restart()
    await until(lambda: call in live.switch.snapshot().calls)
    await until_card(live, lambda card: card.is_recording_paused)
    live.switch.agent_leaves(call)  # the caller talks on with somebody else
    await until(lambda: not live.switch.snapshot().calls[call].is_recording_paused)
    live.switch.hang_up(call)
    found = await rows(
        owner,
        "SELECT agent, reason FROM recording_pauses WHERE to_at IS NOT NULL ORDER BY from_at",
        least=2,
    )
    assert found[:2] == [("1001", "报身份证号"), ("1001", "报银行卡号")]


# ---- calls out -----------------------------------------------------------------------------------


async def dial(live: LiveBridge, **about: str) -> AttemptId:
    await live.ask(DialOut(agent="1001", number=OUTSIDE, **about))
    await until(lambda: bool(live.switch.control.dialled))
    agent, attempt, number = live.switch.control.dialled[-1]
    assert (agent, number) == ("1001", OUTSIDE)
    return attempt


@pytest.mark.requirement("R055")
@pytest.mark.parametrize(
    ("result", "is_answered"),
    [(AttemptResult.ANSWERED, True), (AttemptResult.NO_ANSWER, False), (AttemptResult.BUSY, False)],
)
async def test_an_attempt_to_reach_the_caller_is_kept_with_time_ring_and_result(
    live: LiveBridge, owner: Connection, result: AttemptResult, is_answered: bool
) -> None:
    attempt = await dial(live, ticket="20261127-000001")
    view = await live.until_view(lambda view: view.me.state == "reserved")
    assert view.me.dialled is not None
    assert view.me.dialled.state == "calling"
    live.switch.dial_out("1001", attempt, OUTSIDE)
    await live.until_view(lambda view: view.me.state == "talking" and view.me.dialled is not None)
    if is_answered:
        live.switch.attempt_answers(attempt)
        await live.until_view(
            lambda view: view.me.dialled is not None and view.me.dialled.state == "talking"
        )
    live.switch.attempt_ends(attempt, result, rang_s=7.5)
    await live.until_view(lambda view: view.me.state == "ready" and view.me.dialled is None)
    found = await rows(
        owner,
        "SELECT id, agent, number, about_ticket, rang_s, result, answered_at IS NOT NULL,"
        " rang_at >= wanted_at FROM calls_out WHERE result IS NOT NULL",
        least=1,
    )
    assert found == [
        (attempt, "1001", OUTSIDE, "20261127-000001", 7.5, result.value, is_answered, True)
    ]


async def test_an_agent_who_wraps_up_dials_the_caller_and_wraps_up_again(
    live: LiveBridge,
) -> None:
    call = await live.answered_call()
    live.switch.hang_up(call)
    await live.until_view(lambda view: view.me.state == "wrap_up")
    attempt = await dial(live, call=call)
    live.switch.dial_out("1001", attempt, OUTSIDE)
    await live.until_view(lambda view: view.me.state == "talking")
    live.switch.attempt_ends(attempt, AttemptResult.CANCELLED)
    view = await live.until_view(lambda view: view.me.state == "wrap_up")
    assert view.call is not None
    assert view.call.call == call


async def test_an_agent_who_does_not_take_their_own_phone_is_free_again(
    live: LiveBridge, owner: Connection
) -> None:
    live.switch.control.is_agent_absent = True
    await live.ask(DialOut(agent="1001", number=OUTSIDE))
    await live.until_view(lambda view: view.me.state == "ready" and view.me.dialled is None)
    found = await rows(owner, "SELECT result FROM calls_out WHERE result IS NOT NULL", least=1)
    assert found == [("agent_absent",)]


async def test_a_call_out_that_leads_nowhere_leaves_the_agent_free_to_dial_again(
    live: LiveBridge, owner: Connection
) -> None:
    await live.ask(DialOut(agent="1001", number="12345"))
    await live.until_view(lambda view: view.me.dialled is not None)
    await live.until_view(lambda view: view.me.state == "ready" and view.me.dialled is None)
    found = await rows(owner, "SELECT result FROM calls_out WHERE result IS NOT NULL", least=1)
    assert found == [("failed",)]
    await dial(live)


async def test_an_attempt_begun_on_the_phone_is_kept_too_and_found_by_a_new_bridge(
    live: LiveBridge, owner: Connection
) -> None:
    attempt = live.switch.dial_out("1001", "node-1.7", OUTSIDE)
    await live.until_view(lambda view: view.me.state == "talking")
    await live.restart()
    await until(lambda: attempt in live.switch.snapshot().attempts)
    live.switch.attempt_ends(attempt, AttemptResult.ANSWERED)
    await live.until_view(lambda view: view.me.state == "ready")
    found = await rows(
        owner, "SELECT id, number, result FROM calls_out WHERE result IS NOT NULL", least=1
    )
    assert found == [("node-1.7", OUTSIDE, "answered")]


async def test_a_call_out_is_refused_in_a_call_and_twice(live: LiveBridge) -> None:
    await dial(live)
    with pytest.raises(CommandRefused) as refused:
        await live.ask(DialOut(agent="1001", number=OUTSIDE))
    assert refused.value.code == "dial_under_way"
    with pytest.raises(CommandRefused) as refused:
        await live.ask(DialOut(agent="1002", number="110"))
    assert refused.value.code in ("agent_state_illegal", "call_target_refused")
    await live.ask(SetAgentState(agent="1002", wish="go_ready"))
    call = live.switch.arrive("13800138333")
    live.switch.queue(call)
    live.switch.answer(call, live.switch.ring(call, "1002"))
    await live.until_view(lambda view: view.me.state == "talking", "1002")
    with pytest.raises(CommandRefused) as refused:
        await live.ask(DialOut(agent="1002", number=OUTSIDE))
    assert refused.value.code == "agent_state_illegal"
