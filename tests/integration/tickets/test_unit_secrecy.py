"""Connected as the units' own login, trying by SQL to read what a unit must not see."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from base.database import Connection, Database
from base.ids import TicketId, UnitId
from tests.fakes.city import DONGGUAN, HOUSING, LIXIA, MARKET, UNITS, WATER, centre, of_unit
from tests.fakes.work_order import CALLER, SUPERVISOR, WorkOrder, WorkOrders
from tests.fakes.work_order_http import Asking
from tests.integration.tickets.sessions import Session
from tickets import moves as m
from tickets.access import (
    Access,
    CallerShown,
    RevealRefused,
    accesses,
    reveal_caller,
)
from tickets.assignment import GONE_STATES, AssignmentState
from tickets.facts import ActorRole
from tickets.masking import masked_name, masked_number
from tickets.refusals import NotFitting, NotSaid, RefusedByLaw, TicketUnseen
from tickets.seal_store import verify
from tickets.store import TicketStore
from tickets.ticket import TicketType

Ask = Callable[[str], Awaitable[Asking]]
Hotline = Callable[[str], WorkOrders]
SignIn = Callable[[UnitId], Session]


async def at_market(
    hotline: Hotline, type: TicketType = TicketType.HELP, *, is_confidential: bool = False
) -> WorkOrder:
    order = await hotline("jinan_2018").register(type=type, is_confidential=is_confidential)
    await order.to_units(MARKET)
    return order


async def test_a_unit_sees_its_tickets_and_nobody_elses(hotline: Hotline, sign_in: SignIn) -> None:
    order = await at_market(hotline)
    await order.sign(MARKET)
    assert await sign_in(MARKET).sees(order.facts.id) == {"tickets", "assignments", "ledger"}
    assert await sign_in(HOUSING).sees(order.facts.id) == set()


@pytest.mark.parametrize(
    "column", ["caller_name", "caller_number", "contact_number", "draft", "call_id", "created_by"]
)
async def test_who_called_is_no_column_for_a_unit_confidential_or_not(
    column: str, hotline: Hotline, sign_in: SignIn
) -> None:
    await at_market(hotline)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sign_in(MARKET).fetch(f"SELECT {column} FROM tickets")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sign_in(MARKET).fetch(f"SELECT id FROM tickets WHERE {column} IS NOT NULL")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM tickets",
        "SELECT body FROM ledger",
        "SELECT * FROM follow_ups",
        "SELECT * FROM users",
        "SELECT * FROM sessions",
        "SELECT * FROM calls",
        "SELECT * FROM utterances",
        "SELECT * FROM drafts",
        "SELECT * FROM outbox",
        "SELECT * FROM access_log",
        "SELECT * FROM ticket_corrections",
        "SELECT accused_units FROM tickets",
        "SELECT recused_users FROM tickets",
        "SELECT handlers FROM units",
        "SELECT hotline.withhold_texts(id, 'x') FROM tickets",
        "UPDATE tickets SET title = 'x'",
        "INSERT INTO access_log (user_id, ticket_id, act, fields, reason)"
        " SELECT gen_random_uuid(), id, 'view', '{}', '' FROM tickets",
        "DELETE FROM assignments",
        "UPDATE attachments SET is_for_units = true",
        "DELETE FROM attachments",
        "SET ROLE hotline_web",
        "CREATE TEMPORARY TABLE mine ()",
    ],
)
async def test_a_units_login_may_not(sql: str, hotline: Hotline, sign_in: SignIn) -> None:
    await at_market(hotline)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sign_in(MARKET).fetch(sql)


async def test_without_a_session_or_with_a_guessed_one_nothing_is_there(
    hotline: Hotline, sign_in: SignIn, unit: Database
) -> None:
    order = await at_market(hotline)
    assert await unit.fetchval("SELECT count(*) FROM tickets") == 0
    for guess in ("", MARKET, "x" * 43):
        assert await Session(unit, guess).sees(order.facts.id) == set()


async def test_a_session_that_ended_and_a_person_put_out_see_nothing(
    hotline: Hotline, sign_in: SignIn, owner: Connection
) -> None:
    order = await at_market(hotline)
    session = sign_in(MARKET)
    await owner.execute("UPDATE users SET is_active = false WHERE unit = $1", MARKET)
    assert await session.sees(order.facts.id) == set()
    await owner.execute("UPDATE users SET is_active = true WHERE unit = $1", MARKET)
    assert await session.sees(order.facts.id) != set()
    await owner.execute("UPDATE sessions SET expires_at = now() - interval '1 second'")
    assert await session.sees(order.facts.id) == set()


async def reveals(web: Database, ticket: TicketId) -> list[Access]:
    """Without the looks that the driver takes at the ticket."""
    return [each for each in await accesses(web, ticket) if each.act == "reveal"]


async def test_of_a_confidential_ticket_the_caller_is_not_even_masked(
    hotline: Hotline, sign_in: SignIn, web: Database
) -> None:
    order = await at_market(hotline, is_confidential=True)
    session = sign_in(MARKET)
    assert "tickets" in await session.sees(order.facts.id)
    assert await session.view.caller(order.facts.id) is None
    with pytest.raises(RevealRefused):
        await session.view.reveal_caller(order.facts.id, "需要回电")
    assert await reveals(web, order.facts.id) == []


async def test_a_reveal_needs_a_reason_and_is_logged_with_it(
    hotline: Hotline, sign_in: SignIn, web: Database
) -> None:
    order = await at_market(hotline)
    session = sign_in(MARKET)
    masked = CallerShown(name="王**", number="138****1234")
    assert await session.view.caller(order.facts.id) == masked
    assert (masked_name("王小明"), masked_number("13800001234")) == (masked.name, masked.number)
    with pytest.raises(RevealRefused):
        await session.view.reveal_caller(order.facts.id, "  ")
    shown = await session.view.reveal_caller(order.facts.id, "约定上门时间")
    assert shown == CallerShown(name="王小明", number="13800001234")
    [access] = await reveals(web, order.facts.id)
    assert (access.unit, access.act, access.reason) == (MARKET, "reveal", "约定上门时间")
    assert str(access.user_id) == of_unit(MARKET).user
    with pytest.raises(RevealRefused):
        await sign_in(HOUSING).view.reveal_caller(order.facts.id, "好奇")


async def test_the_accused_unit_finds_nothing_of_the_complaint_against_it(
    hotline: Hotline, sign_in: SignIn, owner: Connection
) -> None:
    order = await hotline("jinan_2018").register(
        type=TicketType.REPORT, accused_units=[LIXIA], is_confidential=True
    )
    await order.to_units(MARKET)
    for each in (LIXIA, DONGGUAN):
        assert await sign_in(each).sees(order.facts.id) == set()
    # Even where a row of its own were slipped in, the accusation shuts it out.
    await owner.execute("UPDATE assignments SET unit = $1", LIXIA)
    assert await sign_in(LIXIA).sees(order.facts.id) == set()
    assert await sign_in(LIXIA).view.caller(order.facts.id) is None


async def test_who_steps_back_sees_it_no_more(hotline: Hotline, sign_in: SignIn) -> None:
    order = await at_market(hotline, type=TicketType.REPORT)
    assert await sign_in(MARKET).sees(order.facts.id) != set()
    recusal = m.Recuse(users=[of_unit(MARKET).user], interest="亲属", is_demanded=True)
    await order.do(recusal, centre(ActorRole.AGENT))
    assert await sign_in(MARKET).sees(order.facts.id) == set()


async def test_a_unit_that_gave_it_back_sees_it_no_more(hotline: Hotline, sign_in: SignIn) -> None:
    order = await hotline("tongliao_2024").register()
    await order.to_units(MARKET)
    await order.do(
        m.AskReturn(ground="not_our_duty", reason="非本单位职责", basis="三定规定"), of_unit(MARKET)
    )
    decision = m.DecideReturn(assignment=order.at(MARKET).id, is_granted=True, decision="理由成立")
    await order.do(decision, centre(ActorRole.REVIEWER))
    assert await sign_in(MARKET).sees(order.facts.id) == set()


async def test_a_lead_sees_who_works_for_it_and_they_see_themselves_alone(
    hotline: Hotline, sign_in: SignIn
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_units(MARKET, HOUSING, part="lead")
    sql = "SELECT unit FROM assignments ORDER BY unit"
    assert [row["unit"] for row in await sign_in(MARKET).fetch(sql)] == [HOUSING, MARKET]
    assert [row["unit"] for row in await sign_in(HOUSING).fetch(sql)] == [HOUSING]


async def test_the_centres_reveal_is_logged_and_not_for_the_recused(
    hotline: Hotline, web: Database
) -> None:
    order = await at_market(hotline, type=TicketType.REPORT)
    reader = centre(ActorRole.REVIEWER, 2)
    with pytest.raises(RevealRefused):
        await reveal_caller(web, reader, order.facts.id, "")
    shown = await reveal_caller(web, reader, order.facts.id, "回访")
    assert shown.number == "13800001234"
    recusal = m.Recuse(users=[reader.user], interest="亲属")
    await order.do(recusal, centre(ActorRole.AGENT))
    with pytest.raises(TicketUnseen):
        await reveal_caller(web, reader, order.facts.id, "回访")
    assert [each.reason for each in await reveals(web, order.facts.id)] == ["回访"]


async def test_a_look_at_the_agents_page_of_a_ticket_is_logged_and_not_for_the_recused(
    hotline: Hotline, web: Database
) -> None:
    order = await at_market(hotline, type=TicketType.REPORT)
    agent = centre(ActorRole.AGENT, 7)
    assert await TicketStore(web).opened(order.facts.id, agent.user)
    await order.do(m.Recuse(users=[agent.user], interest="亲属"), centre(ActorRole.AGENT))
    assert not await TicketStore(web).opened(order.facts.id, agent.user)
    looks = [each for each in await accesses(web, order.facts.id) if "call" in each.fields]
    assert [(str(each.user_id), each.act) for each in looks] == [(agent.user, "view")]


async def test_the_access_log_cannot_be_changed_even_by_the_owner(
    hotline: Hotline, web: Database, owner: Connection
) -> None:
    order = await at_market(hotline)
    await reveal_caller(web, SUPERVISOR, order.facts.id, "核查")
    for sql in ("UPDATE access_log SET reason = 'x'", "DELETE FROM access_log"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(sql)


async def test_a_water_board_asked_before_dispatch_sees_the_question_and_no_caller(
    hotline: Hotline, sign_in: SignIn
) -> None:
    order = await hotline("hangzhou_2024").register()
    await order.check()
    question = m.ConsultUnit(unit=WATER, question="是否属于贵单位职责？")
    await order.do(question, centre(ActorRole.DISPATCHER))
    assert await sign_in(WATER).sees(order.facts.id) == {"tickets", "consults", "ledger"}


A = AssignmentState
SEEN: tuple[tuple[str, AssignmentState | None, frozenset[str], bool], ...] = (
    *((each.value, each, frozenset[str](), each not in GONE_STATES) for each in A),
    ("nothing", None, frozenset(), False),
    ("asked before", None, frozenset({"asked", "sought"}), True),
    ("asked before, given to another", None, frozenset({"asked"}), False),
    ("asked before, given back", A.RETURNED, frozenset({"asked", "sought"}), True),
    ("accused", A.SIGNED, frozenset({"accused"}), False),
    ("asked, accused", None, frozenset({"asked", "accused"}), False),
    ("stepped back", A.SIGNED, frozenset({"recused"}), False),
    ("asked, stepped back", None, frozenset({"asked", "recused"}), False),
)
"""What a case is called, where its assignment is, what else is so, whether the unit sees it."""


async def test_the_program_and_the_database_answer_alike_what_a_unit_sees(
    hotline: Hotline, sign_in: SignIn, owner: Connection
) -> None:
    """``TicketFacts.is_seen_by`` and ``hotline.is_seen_by_unit``, held to one table."""
    order = await hotline("hangzhou_2024").register()
    await order.check()
    await order.do(m.ConsultUnit(unit=MARKET, question="x"), centre(ActorRole.DISPATCHER))
    await order.dispatch(MARKET)
    session, ask = sign_in(MARKET), "SELECT hotline.is_seen_by_unit($1::text::uuid) AS it"
    for name, state, so, is_seen in SEEN:
        has_it = MARKET if state is not None else HOUSING
        await owner.execute("UPDATE assignments SET unit = $1, state = $2", has_it, state or "sent")
        await owner.execute("UPDATE consults SET unit = $1", MARKET if "asked" in so else HOUSING)
        await owner.execute(
            "UPDATE tickets SET accused_units = $1, recused_units = $2, state = $3",
            [MARKET] if "accused" in so else [],
            [MARKET] if "recused" in so else [],
            "to_dispatch" if "sought" in so else "with_units",
        )
        facts = await order.orders.backend.facts(order.facts.id)
        [row] = await session.fetch(ask, order.facts.id)
        assert (facts.is_seen_by(MARKET), row["it"]) == (is_seen, is_seen), name


async def test_of_a_confidential_ticket_the_callers_own_words_do_not_tell_who_they_are(
    hotline: Hotline, asking: Ask, sign_in: SignIn
) -> None:
    """What is left, the centre takes out; how it read before stays with the centre."""
    http = await asking("jinan_2018")
    order = await hotline("jinan_2018").register(
        is_confidential=True,
        title="王小明反映停水",
        demand="我叫王小明，电话138-0000 1234，住在三号楼，请恢复供水。",
    )
    await order.to_units(MARKET)
    path = f"/api/work-orders/{order.facts.number}"
    read = await http.must(of_unit(MARKET), "GET", path)
    listed = await http.must(of_unit(MARKET), "GET", "/api/work-orders")
    assert read["texts"]["title"] == listed["items"][0]["title"] == "***反映停水"
    assert read["texts"]["demand"] == "我叫***，电话****，住在三号楼，请恢复供水。"
    assert read["caller"] is None
    for words, found in (("王小明", 0), ("反映停水", 1)):
        asked = await http.must(of_unit(MARKET), "GET", f"/api/work-orders?words={words}")
        assert len(asked["items"]) == found, "a search does not tell either"
    for column in ("title", "content", "demand", "place", "occurred"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sign_in(MARKET).fetch(f"SELECT {column} FROM tickets")

    redacted = "住户反映停水，请恢复供水。"
    amend = m.Amend(reason="去除身份信息", demand=redacted, content=redacted)
    await order.do(amend, centre(ActorRole.DISPATCHER))
    read = await http.must(of_unit(MARKET), "GET", path)
    assert (read["texts"]["demand"], read["texts"]["content"]) == (redacted, redacted)
    shown = await http.must(SUPERVISOR, "GET", path)
    assert "三号楼" in shown["former_texts"][0]["demand"]
    assert "三号楼" not in str(shown["ledger"]), "texts can be erased, the ledger cannot"
    assert shown["ledger"][-1]["body"]["said"]["texts"] == ["content", "demand"]


async def test_what_protects_somebody_is_not_lifted_by_one_agent_alone(hotline: Hotline) -> None:
    order = await hotline("jinan_2018").register(is_confidential=True, accused_units=[WATER])
    lift = m.Amend(reason="来电人要求", is_confidential=False)
    with pytest.raises(NotSaid) as unsaid:
        await order.do(lift, centre(ActorRole.AGENT))
    assert unsaid.value.params["field"] == "callers_word"
    assert "十六" in str(unsaid.value.params["article"])
    told = m.Amend(
        reason="来电人要求", is_confidential=False, callers_word="可以把我的电话给他们。"
    )
    assert not (await order.do(told, centre(ActorRole.AGENT))).is_confidential

    fewer = m.Amend(reason="登记有误", accused_units=[])
    for one in (ActorRole.AGENT, ActorRole.DISPATCHER):
        with pytest.raises(RefusedByLaw) as alone:
            await order.do(fewer, centre(one, 8))
        assert alone.value.params["why"] == "second_person_needed"
    assert (await order.do(fewer, SUPERVISOR)).accused_units == frozenset()


async def test_a_demand_that_is_split_off_accuses_whom_the_whole_accused(
    hotline: Hotline, asking: Ask
) -> None:
    order = await hotline("jinan_2018").register(accused_units=[WATER])
    http = await asking("jinan_2018")
    said = {"move": "split", "demands": [{"type": "help", "demand": "路灯不亮"}]}
    path = f"/api/work-orders/{order.facts.number}/moves"
    [sibling] = (await http.must(centre(ActorRole.AGENT), "POST", path, said))["siblings"]
    shown = await http.must(SUPERVISOR, "GET", f"/api/work-orders/{sibling}")
    assert shown["facts"]["accused_units"] == [WATER]


async def test_a_refusal_for_a_secret_that_was_wrong_gets_its_texts_again_before_dispatch(
    hotline: Hotline, owner: Connection, tmp_path: Path
) -> None:
    order = await hotline("tongliao_2024").register(demand="某公司的配方外泄")
    refusal = m.NotAccept(
        reason="secret", secret="trade", told="属商业秘密", told_at=order.orders.at
    )
    await order.do(refusal, centre(ActorRole.AGENT))
    reopen = m.Reopen(said_then="配方", said_now="不涉密", why_new="原拒绝有误")
    await order.do(reopen, centre(ActorRole.REVIEWER, 2))
    with pytest.raises(NotFitting) as unfit:
        await order.dispatch(MARKET)
    assert unfit.value.params["why"] == "texts_withheld"
    again = m.Amend(reason="重新登记", title="质量", demand="产品质量有问题", content="同上")
    assert not (await order.do(again, centre(ActorRole.AGENT))).is_withheld
    await order.dispatch(MARKET)
    verdict = await verify(owner, tmp_path, lambda _said, _signature: True)
    assert verdict.faults == ()


@pytest.mark.requirement("R047", city="jinan_2018")
async def test_nothing_goes_to_the_unit_of_whom_the_demand_accuses_by_name(
    hotline: Hotline, asking: Ask
) -> None:
    """Its handler, whoever is first responsible, or who signs in for it (Jinan 32)."""
    orders = hotline("jinan_2018")
    person = f"人员{100 + [unit.id for unit in UNITS].index(MARKET)}"
    for name in (f"{person}科长", "市监局 主任", "经办人（女）"):
        order = await orders.register(accused_people=[name])
        await order.check()
        with pytest.raises(RefusedByLaw) as refused:
            await order.dispatch(MARKET)
        assert refused.value.params["why"] == "accused_person"
    order = await orders.register()
    await order.to_units(MARKET)
    accuse = m.Amend(reason="补充", accused_people=[person])
    with pytest.raises(NotFitting) as has_it:
        await order.do(accuse, centre(ActorRole.AGENT))
    assert has_it.value.params["why"] == "accused_has_it"
    http = await asking("jinan_2018")
    said = {"channel": "web", "type": "report", "demand": "举报", "accused_units": ["no.such"]}
    status, told = await http.ask(centre(ActorRole.AGENT), "POST", "/api/work-orders", said)
    assert (status, told["code"]) == (422, "ticket_accused_unknown")


async def test_of_a_confidential_ticket_the_callers_question_does_not_tell_who_they_are(
    hotline: Hotline, asking: Ask, sign_in: SignIn
) -> None:
    http = await asking("jinan_2018")
    order = await at_market(hotline, is_confidential=True)
    assert order.facts.reply_due_at is not None
    order.orders.at = order.facts.reply_due_at
    asked = m.AskExplanation(ground="overdue", question="我是王小明，13800001234，为何不答复？")
    await order.do(asked, CALLER)
    path = f"/api/work-orders/{order.facts.number}"
    read = await http.must(of_unit(MARKET), "GET", path)
    [shown] = read["part"]["explanations"]
    assert shown["question"] == "我是***，****，为何不答复？"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sign_in(MARKET).fetch("SELECT question FROM explanations")
    kept = await http.must(SUPERVISOR, "GET", path)
    assert "王小明" in kept["facts"]["explanations"][0]["question"]


@pytest.mark.parametrize(
    ("number", "said", "read"),
    [
        ("+8613800001234", "电话13800001234", "电话****"),
        ("8613800001234", "电话138 0000 1234。", "电话****。"),
        ("013800001234", "请打13800001234", "请打****"),
        ("13800001234", "请打+86 13800001234", "请打****"),
        ("053188001234", "座机0531-88001234", "座机****"),
        ("+8653188001234", "座机0531-88001234", "座机****"),
        ("053188001234", "座机88001234，三号楼", "座机8****，三号楼"),
        ("13800001234", "编号20261019，电话13900001111", "编号20261019，电话13900001111"),
    ],
    ids=[
        "country code with plus",
        "country code",
        "zero before",
        "country code in the text",
        "town code",
        "town code behind the country's",
        "without town code",
        "another number",
    ],
)
async def test_a_confidential_callers_number_is_found_however_it_is_written(
    number: str, said: str, read: str, hotline: Hotline, asking: Ask
) -> None:
    http = await asking("jinan_2018")
    order = await hotline("jinan_2018").register(
        is_confidential=True, caller_number=number, demand=said
    )
    await order.to_units(MARKET)
    shown = await http.must(of_unit(MARKET), "GET", f"/api/work-orders/{order.facts.number}")
    assert shown["texts"]["demand"] == read
