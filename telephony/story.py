"""A trail told as a journey: pure, at the moment the last channel is gone (or the stream ends)."""

from typing import Final

from telephony.journey import Journey, JourneyOutcome, Leg, LegRole, Transfer, TransferKind
from telephony.trail import HandOver, Party, Trail

_BUSY: Final = frozenset({"BUSY"})
_FAILED: Final = frozenset({"CONGESTION", "CHANUNAVAIL", "INVALIDARGS", "UNAVAILABLE"})
_CAUSE_BUSY: Final = "17"
# ITU-T Q.850: no such number, no route, no circuit, network or equipment out of order, refused.
_CAUSES_FAILED: Final = frozenset(
    {"1", "2", "3", "6", "20", "21", "22", "27", "28", "29", "34", "38", "41", "42", "43"}
    | {"44", "47", "50", "55", "57", "58", "63", "65", "66", "69", "79", "88", "102", "111"}
)


def tell(trail: Trail) -> Journey | None:
    """The journey; None where no person was on any channel."""
    people = trail.people()
    if not people:
        return None
    caller = _caller(trail, people)
    # A journey that a Local channel began (an originated one) is known by that channel.
    root = trail.root if _is_first(trail) else caller
    others = [party for party in people if party is not caller]
    transfers = _transfers(trail, caller)
    first = _first_answer(others)
    answered_at = _answered_at(trail, first)
    return Journey(
        id=root.unique_id,
        caller=trail.number or caller.line,
        caller_name=trail.name or caller.name,
        called=_called(trail, caller, others),
        queue=trail.answer_queue or trail.queue,
        agent=trail.agent or _name(trail, first),
        started_at=root.began_at,
        answered_at=answered_at,
        ended_at=_ended_at(trail, caller, transfers),
        outcome=_outcome(trail, caller, others, transfers),
        legs=_legs(trail, [caller, *others], caller),
        transfers=transfers,
    )


def _is_first(trail: Trail) -> bool:
    """The first channel told of began it all: nobody dialled it, and Asterisk links to it. Else the
    recording began later than the call, or tells a little out of order."""
    root = trail.root
    return not root.is_dialled and (not trail.links or root.unique_id in trail.links)


def _caller(trail: Trail, people: list[Party]) -> Party:
    if _is_first(trail):
        return trail.root if trail.root.is_person else people[0]
    linked_to = [party for party in people if party.unique_id in trail.links]
    return next((party for party in (*linked_to, *people) if not party.is_dialled), people[0])


def _first_answer(others: list[Party]) -> Party | None:
    answered = [party for party in others if party.answered_order is not None]
    return min(answered, key=lambda party: party.answered_order or 0, default=None)


def _name(trail: Trail, party: Party | None) -> str | None:
    if party is None:
        return None
    ring = trail.ring_of(party)
    return (ring.member if ring is not None else "") or party.endpoint


def _answered_at(trail: Trail, first: Party | None) -> float | None:
    """When a queue connected them, else when the first phone was picked up, else served."""
    if trail.connected_order is not None and (
        first is None
        or trail.ring_of(first)
        or (first.answered_order or 0) >= trail.connected_order
    ):
        return trail.connected_at
    return first.answered_at if first is not None else trail.served_at


def _called(trail: Trail, caller: Party, others: list[Party]) -> str:
    own = caller.exten if not caller.is_dialled else ""
    for party in others:
        if found := trail.called or trail.wanted or own or party.asked or party.line:
            return found
    return trail.called or trail.wanted or own


def _ended_at(trail: Trail, caller: Party, transfers: list[Transfer]) -> float | None:
    """The end of the caller's line; of the last line, where the caller handed the other side on."""
    pairs = zip(trail.hand_overs, transfers, strict=True)
    if any(over.by == caller.unique_id and told.completed for over, told in pairs):
        ends = [party.ended_at for party in trail.people() if party.ended_at is not None]
        return max(ends, default=None)
    return caller.ended_at


def _legs(trail: Trail, people: list[Party], caller: Party) -> list[Leg]:
    rings = {party.unique_id for party in people if trail.ring_of(party) is not None}
    agents = {party.endpoint for party in people if party.unique_id in rings}
    legs = []
    for party in people:
        # The second line of an agent, on which another was asked, is the agent's too.
        is_own_line = not party.is_dialled and party.endpoint in agents
        is_agent = is_own_line or party.unique_id in rings
        role = LegRole.AGENT if is_agent else LegRole.CALLEE
        legs.append(
            Leg(
                channel=party.channel,
                number=(trail.number or party.line) if party is caller else party.line,
                role=LegRole.CALLER if party is caller else role,
                answered_at=party.answered_at,
                ended_at=party.ended_at,
            )
        )
    return legs


def _outcome(
    trail: Trail, caller: Party, others: list[Party], transfers: list[Transfer]
) -> JourneyOutcome:
    if any(transfer.completed for transfer in transfers):
        return JourneyOutcome.TRANSFERRED
    is_answered = trail.connected_order is not None or trail.served_order is not None
    if is_answered or any(party.answered_order is not None for party in others):
        return JourneyOutcome.ANSWERED
    # A queue tries its next member when one is busy: that is not how the call ended.
    direct = (p for p in trail.parties.values() if trail.ring_of(p) is None)
    statuses = {party.dial_status for party in direct} | trail.statuses
    causes = set() if trail.was_left_waiting else {caller.cause}
    if statuses & _BUSY or _CAUSE_BUSY in causes:
        return JourneyOutcome.BUSY
    if statuses & _FAILED or causes & _CAUSES_FAILED:
        return JourneyOutcome.FAILED
    return JourneyOutcome.ABANDONED


def _transfers(trail: Trail, caller: Party) -> list[Transfer]:
    told = []
    for place, over in enumerate(trail.hand_overs):
        later = trail.hand_overs[place + 1 :]
        until = later[0].order if later else None
        told.append(
            Transfer(
                kind=over.kind,
                from_=over.from_,
                to=over.target.line if over.target is not None else over.to,
                at=over.at,
                completed=over.is_done and _reached(trail, over, caller, until),
            )
        )
    return told


def _reached(trail: Trail, over: HandOver, caller: Party, until: int | None) -> bool:
    """Whether somebody took the call after it was handed on, before it was handed on again."""
    if over.kind is TransferKind.ATTENDED and not over.is_open:
        # Without a line to look at, Asterisk's word that it was done is all there is.
        return over.target is None or over.target.answered_order is not None
    answers = [
        party.answered_order
        for party in trail.people()
        # The call may come back to who handed it on: that is nobody reached.
        if party is not caller and party.unique_id != over.by and party.line != over.from_
    ]
    return any(
        order is not None and order > over.order and (until is None or order < until)
        for order in (*answers, trail.served_order)
    )
