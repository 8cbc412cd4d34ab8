"""The ticket as it begins, for lives in memory: what PostgreSQL makes of a demand.

Held to ``tickets.work_orders.WorkOrders.register`` by
``tests/integration/tickets/test_work_orders.py``.
"""

from dataclasses import dataclass
from datetime import datetime

from base.ids import TicketId, UserId
from rules.pack import Pack
from tickets.facts import TicketFacts
from tickets.intake import Demand, pack_id
from tickets.ticket import TicketState


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """The ticket before, as registration finds it."""

    id: TicketId
    state: TicketState
    is_same_caller: bool


def first_facts(
    demand: Demand,
    *,
    id: TicketId,
    number: str,
    contact: str,
    pack: Pack,
    at: datetime,
    by: UserId,
    former: Former | None,
) -> TicketFacts:
    """The ticket as it begins."""
    return TicketFacts(
        id=id,
        number=number,
        version=1,
        state=TicketState.REGISTERED,
        pack=pack_id(pack),
        lane=demand.lane,
        channel=demand.channel,
        type=demand.type,
        domain=demand.domain,
        region=demand.region,
        urgency=demand.urgency,
        matter=demand.matter,
        contact=contact,
        former=None if former is None else former.id,
        former_state=None if former is None else former.state,
        is_former_same_caller=former is not None and former.is_same_caller,
        is_confidential=demand.is_confidential,
        is_withheld=demand.is_withheld,
        wants_reply=demand.wants_reply,
        is_reachable=demand.is_reachable,
        created_at=at,
        created_by=by,
        accused_units=frozenset(demand.accused_units),
        accused_people=tuple(demand.accused_people),
    )
