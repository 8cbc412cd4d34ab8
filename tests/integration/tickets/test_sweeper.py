"""Timers: told once, in their order, by however many sweepers, also after a night off."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from base.database import Connection, Database
from tests.fakes.city import DONGGUAN, LIXIA, WATER, of_unit
from tests.fakes.work_order import WorkOrders, in_days
from tickets import moves as m
from tickets.refusals import LostRace
from tickets.store import TicketStore
from tickets.sweeper import Sweeper
from tickets.ticket import Lane, TicketType
from tickets.work_orders import WorkOrders as Stored

Hotline = Callable[[str], WorkOrders]
StoredOf = Callable[[str], Stored]
MUCH_LATER = datetime(2026, 12, 31, tzinfo=UTC)


def sweeper(web: Database, stored: StoredOf, at: datetime) -> Sweeper:
    return Sweeper(web, stored("jinan_2018"), lambda: at)


async def reminders(web: Database, ticket: str) -> list[str]:
    entries = await TicketStore(web).ledger(ticket)  # type: ignore[arg-type]
    said = [entry.body["said"] for entry in entries if entry.action == "remind"]
    return [each["timer"] for each in said if isinstance(each, dict)]


async def test_nothing_is_told_before_it_is_due_and_each_thing_once(
    hotline: Hotline, web: Database, stored: StoredOf
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_units(WATER)
    due = order.at(WATER).sign_due_at
    assert due is not None
    assert await sweeper(web, stored, order.orders.at).sweep() == 0
    assert await sweeper(web, stored, due).sweep() == 1
    assert await sweeper(web, stored, due).sweep() == 0
    assert await reminders(web, order.facts.id) == ["sign_due"]


async def test_what_was_done_in_time_is_not_told(
    hotline: Hotline, web: Database, stored: StoredOf
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_follow_up(WATER)
    await order.follow_up()
    await order.close()
    assert await sweeper(web, stored, MUCH_LATER).sweep() == 0


async def test_after_a_night_off_all_is_told_in_the_order_it_fell_due(
    hotline: Hotline, web: Database, stored: StoredOf
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_units(WATER)
    await order.sign(WATER)
    assert await sweeper(web, stored, MUCH_LATER).sweep() == 4
    assert await reminders(web, order.facts.id) == [
        "contact_due",
        "yellow_card",
        "feedback_due",
        "red_card",
    ]


async def test_many_sweepers_beside_each_other_tell_each_thing_once(
    hotline: Hotline, web: Database, stored: StoredOf, owner: Connection
) -> None:
    orders = hotline("jinan_2018")
    tickets = []
    for _ in range(8):
        order = await orders.register()
        await order.to_units(WATER)
        tickets.append(order.facts.id)
    many = [sweeper(web, stored, MUCH_LATER) for _ in range(6)]
    counts = await asyncio.gather(*(each.sweep() for each in many))
    assert sum(counts) >= 8 * 4
    for ticket in tickets:
        assert await reminders(web, ticket) == [
            "sign_due",
            "yellow_card",
            "feedback_due",
            "red_card",
        ]
    assert await owner.fetchval("SELECT count(*) FROM timers WHERE fired_at IS NULL") == 0


async def test_moves_and_sweepers_at_once_neither_block_nor_double(
    hotline: Hotline, web: Database, stored: StoredOf
) -> None:
    orders = hotline("jinan_2018")
    order = await orders.register()
    await order.to_units(LIXIA)
    await order.sign(LIXIA)

    async def handle() -> None:
        for _ in range(10):
            await order.do(m.Progress(note="正在办理"), of_unit(LIXIA))

    results = await asyncio.gather(
        handle(),
        *(sweeper(web, stored, MUCH_LATER).sweep() for _ in range(3)),
        return_exceptions=True,
    )
    # No move loses against a reminder; nothing waits for anything in a circle.
    assert [each for each in results if isinstance(each, BaseException)] == []
    await sweeper(web, stored, MUCH_LATER).sweep()
    told = await reminders(web, order.facts.id)
    assert len(told) == len(set(told))


async def test_a_reminder_takes_no_move_from_whoever_decided_before_it(
    hotline: Hotline, web: Database, stored: StoredOf
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_units(WATER)
    seen, due = order.facts.version, order.at(WATER).sign_due_at
    assert due is not None
    assert await sweeper(web, stored, due).sweep() == 1
    orders, unit = stored("jinan_2018"), of_unit(WATER)
    done = await orders.move(order.facts.id, m.Sign(), unit, due, expected_version=seen)
    assert done.facts.version == seen + 2
    note = m.Progress(note="正在办理")
    for version in (seen, seen + 9):  # a person's move since then; a version that never was
        with pytest.raises(LostRace):
            await orders.move(order.facts.id, note, unit, due, expected_version=version)


async def test_the_promised_date_is_tracked_beside_the_reply(
    hotline: Hotline, web: Database, stored: StoredOf
) -> None:
    orders = hotline("jinan_2018")
    order = await orders.register()
    await order.to_units(WATER)
    await order.sign(WATER)
    await order.contact(WATER)
    promise = m.Promise(measures="x", progress="x", promised_on=in_days(orders, 30), told="x")
    await order.do(promise, of_unit(WATER))
    await order.do(m.InterimReply(reply="x", told_at=orders.at), of_unit(WATER))
    assert await sweeper(web, stored, MUCH_LATER).sweep() == 1
    assert await reminders(web, order.facts.id) == ["completion_due"]


async def test_children_have_timers_of_their_own(
    hotline: Hotline, web: Database, stored: StoredOf, owner: Connection
) -> None:
    order = await hotline("jinan_2018").register()
    await order.to_units(LIXIA)
    await order.sign(LIXIA)
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    rows = await owner.fetch("SELECT subject FROM timers WHERE kind = 'feedback_due'")
    assert {row["subject"] for row in rows} == {order.at(LIXIA).id, order.at(DONGGUAN).id}


async def test_a_locked_ticket_has_no_timers_that_could_give_it_away(
    hotline: Hotline, owner: Connection
) -> None:
    await hotline("jinan_2018").register(type=TicketType.COMPLAIN, lane=Lane.STAFF_COMPLAINT)
    assert await owner.fetchval("SELECT count(*) FROM timers") == 0
