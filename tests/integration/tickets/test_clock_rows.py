"""Every clock of a ticket under each pack, to the minute, against dates counted by hand.

What happens lies on days of its own, so that a clock that began with another event, ran another
period or in another unit shows. October 2026: the 19th is a Monday, all is work until the 30th.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from base.database import Connection
from tests.fakes.city import DONGGUAN, LIXIA, of_unit
from tests.fakes.work_order import WorkOrder, WorkOrders
from tickets import moves as m

Hotline = Callable[[str], WorkOrders]
JINAN, DRAFT, TAIAN = "jinan_2018", "jinan_draft_2018", "taian_draft"
HANGZHOU, TONGLIAO = "hangzhou_2024", "tongliao_2024"
ALL = (JINAN, DRAFT, TAIAN, HANGZHOU, TONGLIAO)
SHANGHAI = ZoneInfo("Asia/Shanghai")


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
