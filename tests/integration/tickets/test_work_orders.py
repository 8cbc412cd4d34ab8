"""Moves on PostgreSQL: one wins, each is one ledger entry, and what is read is what was decided."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from base.database import Database
from base.ids import TicketId
from base.outbox import standing
from rules.library import load_pack
from tests.fakes.city import DONGGUAN, HOUSING, LIXIA, WATER, centre, of_unit
from tests.fakes.work_order import HEAD, WorkOrders, calendar, in_days, in_memory
from tests.integration.tickets.conftest import SYSTEM
from tickets import moves as m
from tickets.facts import ActorRole
from tickets.intake import Demand
from tickets.ledger import verify_chain
from tickets.packs import Packs
from tickets.refusals import LostRace, TicketUnseen
from tickets.store import TicketStore
from tickets.ticket import Channel, Lane, Matter, TicketState, TicketType, Urgency
from tickets.work_orders import WorkOrders as Stored

Hotline = Callable[[str], WorkOrders]


async def test_what_is_stored_is_what_was_decided(hotline: Hotline) -> None:
    orders = hotline("jinan_2018")
    order = await orders.register()
    await order.to_units(LIXIA, HOUSING, part="lead")
    await order.sign(LIXIA)
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    promise = m.Promise(measures="x", progress="x", promised_on=in_days(orders, 60), told="x")
    decided = await order.do(promise, of_unit(LIXIA))
    assert await orders.backend.facts(order.facts.id) == decided


async def test_a_ticket_begins_in_memory_as_it_does_on_postgres(hotline: Hotline) -> None:
    began = []
    for orders in (hotline("jinan_2018"), in_memory("jinan_2018")):
        former = await orders.register()
        order = await orders.register(
            type=TicketType.REPORT,
            former=former.facts.number,
            region="370102",
            urgency=Urgency.URGENT,
            matter=Matter.UTILITY,
            is_confidential=True,
            wants_reply=False,
            accused_units=[WATER],
            accused_people=["王某"],
        )
        assert order.facts.former == former.facts.id
        named = replace(order.facts, id=TicketId(""), number="", contact="", former=None)
        began.append(named)
    on_postgres, in_memory_alone = began
    assert in_memory_alone == on_postgres


async def test_a_whole_life_on_postgres_ends_as_it_does_in_memory(hotline: Hotline) -> None:
    for orders in (hotline("jinan_2018"), in_memory("jinan_2018")):
        order = await orders.register()
        await order.to_follow_up(WATER)
        await order.follow_up()
        await order.close()
        assert order.facts.state is TicketState.CLOSED
        assert order.facts.version == 9


async def test_every_move_is_exactly_one_entry_of_a_whole_chain_with_its_cards(
    hotline: Hotline, web: Database
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_follow_up(WATER)
    entries = await TicketStore(web).ledger(order.facts.id)
    assert [entry.action for entry in entries] == [
        "registered",
        "pass_check",
        "dispatch",
        "sign",
        "contact",
        "feedback",
        "review_feedback",
    ]
    assert len(entries) == order.facts.version
    assert verify_chain(entries) is None
    assert "第二十四条" in entries[2].article
    assert entries[2].body["cards"]


async def test_of_two_moves_at_once_one_wins_and_the_other_is_told(
    hotline: Hotline, stored: Callable[[str], Stored]
) -> None:
    orders = hotline("jinan_2018")
    order = await orders.register()
    await order.check()
    both = stored("jinan_2018"), stored("jinan_2018")
    moves = (
        m.Dispatch(units=[m.Share(unit=unit, part="single")], basis="三定规定")
        for unit in (WATER, HOUSING)
    )
    results = await asyncio.gather(
        *(
            each.move(
                order.facts.id,
                move,
                centre(ActorRole.DISPATCHER),
                orders.at,
                expected_version=order.facts.version,
            )
            for each, move in zip(both, moves, strict=True)
        ),
        return_exceptions=True,
    )
    lost = [each for each in results if isinstance(each, BaseException)]
    assert [type(each) for each in lost] == [LostRace]
    facts = await orders.backend.facts(order.facts.id)
    assert len(facts.assignments) == 1
    assert facts.version == order.facts.version + 1


async def test_every_channel_goes_into_one_numbering_and_a_message_makes_one_ticket(
    hotline: Hotline,
) -> None:
    orders = hotline("jinan_2018")
    numbers = []
    for channel in Channel:
        first = await orders.register(channel=channel, message=f"{channel}-1")
        again = await orders.register(channel=channel, message=f"{channel}-1")
        assert again.facts.number == first.facts.number
        assert first.facts.channel is channel
        numbers.append(first.facts.number)
    assert [number[-1] for number in numbers] == ["1", "2", "3", "4", "5", "6", "7", "8"]


async def test_several_demands_become_tickets_of_one_contact(
    hotline: Hotline, stored: Callable[[str], Stored]
) -> None:
    orders = hotline("hangzhou_2024")
    order = await orders.register()
    demands = [m.SplitDemand(type=TicketType.CONSULT, demand="另问公交何时恢复。")]
    done = await stored("hangzhou_2024").move(
        order.facts.id, m.Split(demands=demands), centre(ActorRole.AGENT), orders.at
    )
    [sibling] = done.siblings
    assert sibling.contact == order.facts.contact
    assert sibling.number != order.facts.number
    assert sibling.state is TicketState.REGISTERED
    assert sibling.is_reachable


async def test_a_ticket_lives_under_the_pack_it_began_with_though_the_file_is_gone(
    hotline: Hotline, web: Database
) -> None:
    order = await hotline("jinan_2018").register()
    # A new process, a new law for new tickets: the old one is still Jinan's.
    later = Stored(web, Packs(lambda: load_pack("tongliao_2024")), calendar)
    elements = {"who": True, "what": True, "where": True, "when": True, "want": True}
    done = await later.move(
        order.facts.id,
        m.PassCheck(elements=elements),
        centre(ActorRole.DISPATCHER),
        order.orders.at,
    )
    assert done.facts.pack.name == "jinan_2018"
    demand = Demand(channel=Channel.WEB, type=TicketType.HELP, demand="停水")
    new = await later.register(demand, centre(ActorRole.AGENT), order.orders.at)
    assert new.pack.name == "tongliao_2024"


async def test_messages_go_out_with_the_move_and_never_without_it(
    hotline: Hotline, web: Database
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_units(WATER)
    with pytest.raises(TicketUnseen):
        await order.sign(HOUSING)
    waiting = {each.channel: each.pending for each in await standing(web)}
    assert waiting == {"sms": 1, "unit": 1}


async def test_a_locked_ticket_is_not_found_by_whoever_is_not_supervision(
    hotline: Hotline, stored: Callable[[str], Stored], web: Database
) -> None:
    orders = hotline("jinan_2018")
    order = await orders.register(type=TicketType.COMPLAIN, lane=Lane.RETALIATION)
    with pytest.raises(TicketUnseen):
        await stored("jinan_2018").facts(order.facts.id, HEAD)
    assert await stored("jinan_2018").facts(order.facts.id, SYSTEM) == order.facts
    # Not even by a query that forgets to ask.
    assert await web.fetchval("SELECT count(*) FROM tickets") == 0
    assert await web.fetchval("SELECT count(*) FROM ledger") == 0
