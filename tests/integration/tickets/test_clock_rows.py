"""Every clock of a ticket under each pack, to the minute, against dates counted by hand.

What happens lies on days of its own, so that a clock that began with another event, ran another
period or in another unit shows. October 2026: the 19th is a Monday, all is work until the 30th.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from base.database import Connection
from tests.fakes.by_city import by_city
from tests.fakes.city import DONGGUAN, LIXIA, WATER, centre, of_unit
from tests.fakes.work_order import WorkOrder, WorkOrders
from tickets import moves as m
from tickets.facts import ActorRole
from tickets.refusals import RefusedByLaw
from tickets.ticket import Matter, TicketState

Hotline = Callable[[str], WorkOrders]
JINAN, DRAFT, TAIAN = "jinan_2018", "jinan_draft_2018", "taian_draft"
HANGZHOU, TONGLIAO = "hangzhou_2024", "tongliao_2024"
ALL = (JINAN, DRAFT, TAIAN, HANGZHOU, TONGLIAO)
SHANGHAI = ZoneInfo("Asia/Shanghai")
REVIEWER = centre(ActorRole.REVIEWER, 2)


def october(day: int, hour: int = 17, minute: int = 30) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


async def waiting(owner: Connection, order: WorkOrder) -> dict[str, datetime]:
    """What the ticket waits for; of each kind the first."""
    rows = await owner.fetch(
        "SELECT kind, min(due_at) AS due_at FROM timers"
        " WHERE ticket_id = $1::text::uuid AND fired_at IS NULL GROUP BY kind",
        order.facts.id,
    )
    return {row["kind"]: row["due_at"] for row in rows}


@pytest.mark.requirement("R049")
@pytest.mark.parametrize("city", ALL)
async def test_each_clock_begins_with_its_own_event_and_ends_to_the_minute(
    city: str, hotline: Hotline, owner: Connection
) -> None:
    """Registered on Monday, dispatched on Tuesday, signed on Wednesday, fed back on Friday."""
    orders = hotline(city)
    order = await orders.register()
    orders.later(days=1)
    await order.to_units(LIXIA)
    assert order.at(LIXIA).sign_due_at == october(20, 15, 30)  # four working hours
    assert order.at(LIXIA).feedback_due_at == october(27)  # five working days
    assert order.facts.reply_due_at == october(27)
    # Cards are shown when the working day opens.
    wanted = {
        "yellow_card": october(26, 8),
        "feedback_due": october(27),
        "red_card": october(28, 8),
    }
    told = await waiting(owner, order)
    assert {kind: told[kind] for kind in wanted} == wanted
    orders.later(days=1)
    await order.sign(LIXIA)
    assert order.at(LIXIA).contact_due_at == october(22)
    assert (await waiting(owner, order))["contact_due"] == october(22)
    await order.do(m.SubDispatch(units=[DONGGUAN]), of_unit(LIXIA))
    assert order.at(DONGGUAN).feedback_due_at == october(26)  # a working day before its parent
    orders.later(days=2)
    await order.handle(DONGGUAN)
    await order.review(DONGGUAN, by=LIXIA)
    await order.contact(LIXIA)
    await order.feedback(LIXIA)
    assert (await waiting(owner, order))["follow_up_due"] == october(27)  # two working days


@pytest.mark.requirement("R049")
@pytest.mark.parametrize("city", ALL)
async def test_what_is_handled_again_has_five_working_days_from_the_order(
    city: str, hotline: Hotline
) -> None:
    """Fed back on Monday, ordered on Tuesday."""
    order = await hotline(city).register()
    await order.to_follow_up(WATER)
    order.orders.later(days=1)
    await order.follow_up(
        is_satisfied=False, is_reasonable=True, is_lawful=True, is_handling_faulty=True
    )
    if order.facts.state is TicketState.FOLLOWING_UP:  # in Tongliao it followed at once
        await order.do(m.Redo(reason="仍停水", is_verified=True), REVIEWER)
    assert order.at(WATER).feedback_due_at == october(27)


@pytest.mark.requirement("R049")
@pytest.mark.parametrize("city", ALL)
async def test_what_is_urgent_leaves_and_is_signed_within_an_hour_of_the_night(
    city: str, hotline: Hotline, owner: Connection
) -> None:
    """A Friday at 23:25; what the city does not send at once is checked before."""
    orders = hotline(city)
    orders.at = october(23, 23, 25)
    for matter in (Matter.UTILITY, Matter.DISASTER, Matter.DANGER):
        order = await orders.register(matter=matter)
        assert await waiting(owner, order) == {"dispatch_due": orders.at + timedelta(hours=1)}
        orders.later(minutes=5)
        if matter is Matter.DANGER and city != HANGZHOU:
            with pytest.raises(RefusedByLaw) as refused:
                await order.dispatch(WATER)
            assert refused.value.params["rule"] == "emergency.dispatch_at_once"
            await order.check()
        await order.dispatch(WATER)
        assert order.at(WATER).sign_due_at == orders.at + timedelta(hours=1)


@by_city("R043", HANGZHOU, TONGLIAO)
async def test_a_unit_gives_back_until_the_end_of_the_next_working_day(
    city: str, hotline: Hotline, owner: Connection
) -> None:
    """Dispatched on Monday; in Tongliao the centre then has as long to judge it."""
    back = m.AskReturn(ground="not_our_duty", reason="属交通部门", basis="三定规定第五条")
    late, orders = await hotline(city).register(), hotline(city)
    await late.to_units(WATER)
    late.orders.at = october(20, 17, 31)
    with pytest.raises(RefusedByLaw) as refused:
        await late.do(back, of_unit(WATER))
    assert refused.value.params["why"] == "too_late"
    order = await orders.register()
    await order.to_units(WATER)
    orders.at = october(20)
    await order.do(back, of_unit(WATER))
    judged_by = (await waiting(owner, order)).get("decision_due")
    assert judged_by == (october(21) if city == TONGLIAO else None)
