"""AMI messages to callers' journeys, of any Asterisk since 11, with any channel driver.

The second fold beside ``telephony.reducer``, over the same messages: that one knows what our own
consoles show now, this one what became of every call, ours or not. Channels belong together when
Asterisk links them (Linkedid), dials one for another, bridges them, or hands a call on. A journey
is told when its last channel is gone, and forgotten. No stream makes memory grow without end: one
of too many journeys, or of too many channels, is told as it is.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

from telephony.journey import Journey, TransferKind
from telephony.naming import plain_text
from telephony.story import tell
from telephony.trail import HandOver, Party, Trail, number_of
from telephony.wire import Message

MAX_TRAILS: Final = 20_000
MOST_MET: Final = 8
# A conference that never ends, or a dialplan that dials itself.
MAX_CHANNELS: Final = 5_000
# A late word about a channel that is gone must not begin a new journey.
GONE_KEPT: Final = 4_096

_UP: Final = frozenset({"6", "up"})
# Applications that are what a caller wanted, not a way to somebody.
_PURPOSES: Final = frozenset(
    {"confbridge", "dictate", "echo", "meetme", "milliwatt", "record", "voicemail", "voicemailmain"}
)
# Applications that lead to somebody, in time.
_WAYS: Final = frozenset({"dial", "followme", "queue"})
_PURPOSE: Final = re.compile(
    rb"\nApplication: *(?:%s)(?:\r|\Z)" % "|".join(sorted(_PURPOSES)).encode(), re.IGNORECASE
)


class _Headers(NamedTuple):
    """Where a message tells of a channel."""

    unique_id: str
    channel: str
    linked_id: str
    number: str
    name: str


@cache
def _headers(prefix: str) -> _Headers:
    """Those that begin with one of the few words that Asterisk puts before them."""
    names = ("Uniqueid", "Channel", "Linkedid", "CallerIDNum", "CallerIDName")
    return _Headers(*(prefix + name for name in names))


class Journeys:
    """All journeys under way. ``take`` each message in order; ``rest`` at the end of a stream."""

    def __init__(self) -> None:
        self._trails: dict[str, Trail] = {}
        """Unique id of each channel → its trail."""
        self._open: OrderedDict[int, Trail] = OrderedDict()
        self._links: dict[str, Trail] = {}
        """Linked id → trail."""
        self._bridges: dict[str, dict[str, Party]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._order = 0
        self._ended: list[Journey] = []
        self._too_long: Trail | None = None

    def __len__(self) -> int:
        return len(self._open)

    def take(self, message: Message) -> list[Journey]:
        """Apply one message; the journeys that it ended."""
        rule = _RULES.get(message.name)
        if rule is None or (rule is _application and not _PURPOSE.search(message.raw)):
            return []
        self._order += 1
        rule(self, message)
        if self._too_long is not None or len(self._open) > MAX_TRAILS:
            self._finish(self._too_long or next(iter(self._open.values())))
        ended, self._ended = self._ended, []
        return ended

    def rest(self) -> list[Journey]:
        """What is still under way, told as it is."""
        told = [tell(trail) for trail in self._open.values()]
        self.__init__()  # type: ignore[misc]  # begin anew
        return [journey for journey in told if journey is not None]

    # ---- channels and what they belong to ------------------------------------------------------

    def party(self, message: Message, prefix: str = "") -> Party | None:
        """The channel that a message speaks of, made where it is new."""
        get, headers = message.get, _headers(prefix)
        party = self.known(get(headers.unique_id), get(headers.channel), get(headers.linked_id))
        if party is None:
            return None
        if not party.number:
            party.number = number_of(get(headers.number))
            party.name = party.name or number_of(get(headers.name))
        if not (party.exten or party.is_dialled or prefix):
            party.exten = number_of(get("Exten"))
        return party

    def known(self, unique_id: str, channel: str, linked_id: str = "") -> Party | None:
        """The channel with this id, made where it is new and named; None where it is gone."""
        if not unique_id:
            return None
        if unique_id in self._gone:
            # Still spoken of: it stays known to be gone.
            self._gone.move_to_end(unique_id)
            return None
        trail = self._trails.get(unique_id)
        if trail is None:
            if "/" not in channel:
                return None
            trail = self._begin(unique_id, channel)
        is_news = linked_id and self._links.get(linked_id) is not trail
        if is_news and linked_id not in self._gone:
            trail = self._link(trail, linked_id)
        return trail.parties[unique_id]

    def _begin(self, unique_id: str, channel: str) -> Trail:
        trail = Trail()
        trail.add(Party(unique_id, channel, self._order, None))
        self._trails[unique_id] = trail
        self._open[id(trail)] = trail
        return trail

    def _link(self, trail: Trail, linked_id: str) -> Trail:
        other = self._links.get(linked_id) or self._trails.get(linked_id)
        if other is None:
            self._links[linked_id] = trail
            trail.links.add(linked_id)
            return trail
        return self.join(trail, other)

    def join(self, one: Trail, other: Trail) -> Trail:
        """Two trails are one from now on."""
        if one is other:
            return one
        older, younger = (one, other) if one.root.order <= other.root.order else (other, one)
        older.take_over(younger)
        del self._open[id(younger)]
        self._trails.update(dict.fromkeys(younger.parties, older))
        self._links.update(dict.fromkeys(younger.links, older))
        if len(older.parties) > MAX_CHANNELS:
            self._too_long = older
        return older

    def trail(self, party: Party) -> Trail:
        return self._trails[party.unique_id]

    def named(self, trail: Trail, channel: str) -> Party | None:
        """The channel of that name among those of a trail."""
        for party in trail.parties.values():
            if channel and channel in (party.channel, party.current_name):
                return party
        return None

    def involved(self, message: Message, prefix: str = "") -> Party | None:
        """As ``party``, and by its name alone where there is no unique id (as in Asterisk 11)."""
        party, headers = self.party(message, prefix), _headers(prefix)
        channel = message.get(headers.channel)
        if party is not None or not channel or message.get(headers.unique_id):
            return party
        found = (self.named(trail, channel) for trail in self._open.values())
        return next((party for party in found if party is not None), None)

    def originated(self, endpoint: str) -> Trail | None:
        """The newest journey that began with nobody but this endpoint."""
        for trail in reversed(self._open.values()):
            if len(trail.parties) == 1 and trail.root.endpoint == endpoint:
                return trail
        return None

    def dial(self, dialler: Party | None, dialled: Party) -> None:
        if dialler is not None:
            dialled.is_dialled = True
            dialled.dialled_by = dialled.dialled_by or dialler
            self.join(self.trail(dialler), self.trail(dialled))

    def hang_up(self, party: Party, at: float | None, cause: str) -> None:
        trail = self.trail(party)
        party.cause = cause
        trail.end(party, at, self._order)
        if trail.standing == 0:
            self._finish(trail)

    def set_apart(self, party: Party) -> None:
        """A line that is no call of anybody's: an agent's, who waits on it for many."""
        trail = self.trail(party)
        if len(trail.parties) == 1:
            self._forget(trail)

    def _finish(self, trail: Trail) -> None:
        self._forget(trail)
        journey = tell(trail)
        if journey is not None:
            self._ended.append(journey)

    def _forget(self, trail: Trail) -> None:
        del self._open[id(trail)]
        self._too_long = None
        for linked_id in trail.links:
            del self._links[linked_id]
        for bridge in trail.bridges:
            self._bridges.pop(bridge, None)
        for unique_id in trail.parties:
            del self._trails[unique_id]
            self._gone[unique_id] = None
        while len(self._gone) > GONE_KEPT:
            self._gone.popitem(last=False)

    # ---- bridges -------------------------------------------------------------------------------

    def enter(self, bridge: str, party: Party, at: float | None) -> None:
        members = self._bridges.setdefault(bridge, {})
        self.trail(party).bridges.add(bridge)
        party.first_bridge = party.first_bridge or bridge
        # In a large conference it is enough to meet some: all of them are linked already.
        for other in list(islice(members.values(), MOST_MET)):
            if other is not party:
                self.meet(bridge, party, other, at)
        members[party.unique_id] = party

    def leave(self, bridge: str, party: Party) -> None:
        members = self._bridges.get(bridge)
        if members is not None:
            members.pop(party.unique_id, None)
            if not members:
                del self._bridges[bridge]

    def meet(self, bridge: str, one: Party, other: Party, at: float | None) -> None:
        """Two channels are in one bridge."""
        self.join(self.trail(one), self.trail(other))
        if one.is_person and other.is_person:
            one.answer(at, self._order)
            other.answer(at, self._order)
            return
        for person, local in ((one, other), (other, one)):
            if person.is_person and local.is_local:
                self._consult(bridge, person, local, at)

    def _consult(self, bridge: str, person: Party, local: Party, at: float | None) -> None:
        """Somebody in a conversation is put into a new bridge with the near half of a Local channel
        that nobody dialled: so Asterisk lets them ask another before handing the call on."""
        trail = self.trail(person)
        is_way_to_another = local.is_near_half and not local.is_dialled and local is not trail.root
        if not is_way_to_another or person.first_bridge == bridge:
            return
        if any(p.first_bridge == bridge for p in trail.parties.values() if p is not local):
            return
        if any(over.way is local for over in trail.hand_overs):
            return
        kind, to = TransferKind.ATTENDED, local.local_exten
        self.hand_over(trail, kind, person, to, at, is_done=False).way = local

    # ---- transfers -----------------------------------------------------------------------------

    def hand_over(
        self,
        trail: Trail,
        kind: TransferKind,
        by: Party | None,
        to: str,
        at: float | None,
        *,
        is_done: bool,
    ) -> HandOver:
        from_ = by.line if by is not None else ""
        unique_id = by.unique_id if by is not None else ""
        over = HandOver(kind, unique_id, from_, to, at, self._order, is_done)
        last = trail.hand_overs[-1] if trail.hand_overs else None
        if last is not None and last.is_told_again_by(over):
            return last
        trail.hand_overs.append(over)
        return over

    @property
    def order(self) -> int:
        return self._order


Rule = Callable[[Journeys, Message], None]


# --------------------------------------------------------------------------- channels begin and end


def _new_channel(journeys: Journeys, message: Message) -> None:
    party = journeys.party(message)
    if party is None:
        return
    party.began_at = party.began_at if party.began_at is not None else message.epoch_s
    if not party.number:
        # Asterisk 1.4 called it CallerID; 11 gives the dialled account where there is no number.
        party.number = number_of(message.get("CallerID"))
    party.is_number_own = party.is_number_own or bool(party.number)
    _state(journeys, message)


def _state(journeys: Journeys, message: Message) -> None:
    state = message.get("ChannelStateDesc") or message.get("ChannelState") or message.get("State")
    party = journeys.party(message)
    if party is not None and state.lower() in _UP:
        party.answer(message.epoch_s, journeys.order)


def _caller_id(journeys: Journeys, message: Message) -> None:
    journeys.party(message)


def _renamed(journeys: Journeys, message: Message) -> None:
    party = journeys.known(message.get("Uniqueid"), "")
    if party is not None:
        party.current_name = message.get("Newname")


def _hung_up(journeys: Journeys, message: Message) -> None:
    party = journeys.known(message.get("Uniqueid"), "")
    if party is None or party.ended_order is not None:
        return
    journeys.hang_up(party, message.epoch_s, message.get("Cause"))


def _local(journeys: Journeys, message: Message) -> None:
    one, two = (
        journeys.party(message, f"Local{half}")
        or journeys.known(message.get(f"Uniqueid{number}"), message.get(f"Channel{number}"))
        for half, number in (("One", 1), ("Two", 2))
    )
    if one is not None and two is not None:
        journeys.join(journeys.trail(one), journeys.trail(two))


# ----------------------------------------------------------------------------------------- dialling


def _dial_began(journeys: Journeys, message: Message) -> None:
    dialler, dialled = journeys.party(message), journeys.party(message, "Dest")
    if dialled is not None:
        dialled.dialled = dialled.dialled or message.get("DialString")
        journeys.dial(dialler, dialled)


def _dial_ended(journeys: Journeys, message: Message) -> None:
    dialler, dialled = journeys.party(message), journeys.party(message, "Dest")
    if dialled is None:
        return
    journeys.dial(dialler, dialled)
    status = message.get("DialStatus").upper()
    if status == "ANSWER":
        dialled.answer(message.epoch_s, journeys.order)
    elif not message.get("Forward"):
        dialled.dial_status = dialled.dial_status or status


def _old_dial(journeys: Journeys, message: Message) -> None:
    """Asterisk 11 and before: one event for both, ``SubEvent`` tells which."""
    caller = journeys.known(
        message.get("UniqueID") or message.get("SrcUniqueID"),
        message.get("Channel") or message.get("Source"),
    )
    if caller is None:
        return
    caller.number = caller.number or number_of(message.get("CallerIDNum"))
    if message.get("SubEvent").lower() == "end":
        status = message.get("DialStatus").upper()
        if status != "ANSWER":
            journeys.trail(caller).statuses.add(status)
        return
    dialled = journeys.known(message.get("DestUniqueID"), message.get("Destination"))
    if dialled is not None:
        dialled.dialled = dialled.dialled or message.get("Dialstring")
        journeys.dial(caller, dialled)


def _originated(journeys: Journeys, message: Message) -> None:
    party = journeys.known(message.get("Uniqueid"), "")
    # A channel that was refused is told of by its endpoint alone.
    trail = journeys.trail(party) if party else journeys.originated(message.get("Channel"))
    if trail is not None:
        trail.wanted = trail.wanted or number_of(message.get("Exten"))


def _picked_up(journeys: Journeys, message: Message) -> None:
    taker, target = journeys.involved(message), journeys.involved(message, "Target")
    if taker is None or target is None:
        return
    trail = journeys.join(journeys.trail(taker), journeys.trail(target))
    taker.is_dialled = True
    taker.is_agent = taker.is_agent or target.is_agent
    taker.answer(message.epoch_s, journeys.order)
    if target.is_agent and trail.connected_order is None:
        trail.agent = taker.endpoint


# ------------------------------------------------------------------------------------------- queues


def _joined(journeys: Journeys, message: Message) -> None:
    party = journeys.party(message)
    if party is not None:
        trail = journeys.trail(party)
        trail.queue = message.get("Queue") or trail.queue
        trail.was_left_waiting = False
        if party is trail.root and party.is_local:
            # An originated call: its Local channel's own extension is who was called first.
            trail.wanted = trail.wanted or number_of(message.get("Exten"))


def _left_waiting(journeys: Journeys, message: Message) -> None:
    party = journeys.party(message)
    if party is not None:
        journeys.trail(party).was_left_waiting = True


def _ring_of_queue(journeys: Journeys, message: Message) -> tuple[Party, Party | None] | None:
    """Caller and member's channel, in the old words too: there ``Channel`` is the member's."""
    if message.has("DestUniqueid"):
        caller, ring = journeys.party(message), journeys.party(message, "Dest")
    else:
        caller = journeys.known(message.get("Uniqueid"), message.get("ChannelCalling"))
        if caller is None:
            return None
        names = ("DestinationChannel", "DestChannel", "Channel")
        name = next((value for header in names if (value := message.get(header))), "")
        ring = journeys.known(message.get("BridgedChannel"), name)
        ring = ring or journeys.named(journeys.trail(caller), name)
        ring = ring if ring is not caller else None
    if caller is None:
        return None
    if ring is not None:
        journeys.dial(caller, ring)
        ring.is_agent = True
        ring.member = ring.member or _member(message)
    return caller, ring


def _member(message: Message) -> str:
    for header in ("MemberName", "AgentName", "Interface", "Member", "AgentCalled"):
        if value := message.get(header):
            return value
    return ""


def _agent_waits(journeys: Journeys, message: Message) -> None:
    party = journeys.party(message)
    if party is not None:
        journeys.set_apart(party)


def _agent_called(journeys: Journeys, message: Message) -> None:
    found = _ring_of_queue(journeys, message)
    if found is not None:
        trail = journeys.trail(found[0])
        trail.queue = trail.queue or message.get("Queue") or None


def _agent_completed(journeys: Journeys, message: Message) -> None:
    """They had been connected; where the recording begins later, nobody knows when."""
    _connected(journeys, message, None)


def _agent_connected(journeys: Journeys, message: Message) -> None:
    _connected(journeys, message, message.epoch_s)


def _connected(journeys: Journeys, message: Message, at: float | None) -> None:
    found = _ring_of_queue(journeys, message)
    if found is None:
        return
    caller, ring = found
    trail = journeys.trail(caller)
    if ring is not None:
        ring.answer(at, journeys.order)
    trail.was_left_waiting = False
    trail.connect(message.get("Queue"), _member(message), at, journeys.order)


# ------------------------------------------------------------------------------------------ bridges


def _entered(journeys: Journeys, message: Message) -> None:
    party = journeys.party(message)
    # A parking lot or waiting room holds people who do not talk with one another.
    if party is not None and not message.get("BridgeTechnology").startswith("holding"):
        journeys.enter(message.get("BridgeUniqueid"), party, message.epoch_s)


def _left(journeys: Journeys, message: Message) -> None:
    party = journeys.known(message.get("Uniqueid"), "")
    if party is not None and party.first_bridge:
        journeys.leave(message.get("BridgeUniqueid"), party)
    elif party is None and not message.get("BridgeTechnology").startswith("holding"):
        _left_unseen(journeys, message)


def _left_unseen(journeys: Journeys, message: Message) -> None:
    """It talked before the recording began, and with whoever leaves the same bridge after it."""
    party = journeys.party(message)
    if party is not None:
        journeys.enter(message.get("BridgeUniqueid"), party, None)
        journeys.trail(party).serve(None, journeys.order)


def _old_bridge(journeys: Journeys, message: Message) -> None:
    """Asterisk 11 and before (``Link`` in 1.4): two channels, together or no longer."""
    one, other = (
        journeys.known(message.get(f"Uniqueid{number}"), message.get(f"Channel{number}"))
        for number in (1, 2)
    )
    if one is None or other is None or message.get("Bridgestate").lower() == "unlink":
        return
    for party, number in ((one, 1), (other, 2)):
        party.number = party.number or number_of(message.get(f"CallerID{number}"))
    journeys.meet("", one, other, message.epoch_s)


def _in_conference(journeys: Journeys, message: Message) -> None:
    party = journeys.party(message)
    if party is not None:
        journeys.trail(party).serve(message.epoch_s, journeys.order)


def _application(journeys: Journeys, message: Message) -> None:
    party = journeys.party(message)
    if party is not None and message.get("Application").lower() in _PURPOSES:
        journeys.trail(party).serve(message.epoch_s, journeys.order)


# ---------------------------------------------------------------------------------------- transfers


def _blind(journeys: Journeys, message: Message) -> None:
    by, moved = (journeys.involved(message, name) for name in ("Transferer", "Transferee"))
    party = by or moved
    if party is None:
        return
    trail = journeys.trail(party)
    if by is not None and moved is not None:
        trail = journeys.join(journeys.trail(by), journeys.trail(moved))
    is_done = message.get("Result").lower() in ("", "success")
    to = message.get("Extension")
    journeys.hand_over(trail, TransferKind.BLIND, by, to, message.epoch_s, is_done=is_done)


def _attended(journeys: Journeys, message: Message) -> None:
    names = ("OrigTransferer", "SecondTransferer", "Transferee", "TransferTarget")
    first, second, moved, target = (journeys.involved(message, name) for name in names)
    linked = [party for party in (first, second, moved, target) if party is not None]
    if not linked:
        return
    trail = journeys.trail(linked[0])
    for party in linked[1:]:
        trail = journeys.join(trail, journeys.trail(party))
    by = first or second
    app, at = message.get("DestApp"), message.epoch_s
    is_done = message.get("Result").lower() in ("", "success")
    over = _open_hand_over(trail, by, second, at)
    if over is None:
        to = _whom(target, second) or app
        over = journeys.hand_over(trail, TransferKind.ATTENDED, by, to, at, is_done=is_done)
    over.is_done, over.at = is_done, at if is_done else over.at
    over.is_open = app.lower() in _WAYS
    if is_done and not app and over.target is None:
        over.target = _target(trail, target, (first, second, moved))


def _whom(target: Party | None, second: Party | None) -> str:
    """The line that was asked, else what the transferer dialled on a second line."""
    if target is not None:
        return target.line
    return second.exten if second is not None and not second.is_dialled else ""


def _open_hand_over(
    trail: Trail, first: Party | None, second: Party | None, at: float | None
) -> HandOver | None:
    """The attempt that this event ends, or has ended where it is told twice."""
    by = {party.unique_id for party in (first, second) if party is not None}
    for over in reversed(trail.hand_overs):
        is_theirs = over.kind is TransferKind.ATTENDED and over.by in by
        if is_theirs and (not over.is_done or over.at == at):
            return over
    return None


def _target(trail: Trail, told: Party | None, involved: tuple[Party | None, ...]) -> Party | None:
    """Who the caller is handed to: as told, else the youngest line of another person."""
    if told is not None and told.is_person:
        return told
    endpoints = {party.endpoint for party in involved if party is not None}
    others = [
        party
        for party in trail.people()
        if party.endpoint not in endpoints and party.ended_order is None
    ]
    return others[-1] if others else None


def _old_transfer(journeys: Journeys, message: Message) -> None:
    """chan_sip and chan_iax2 of Asterisk 11 and before."""
    by = journeys.known(message.get("Uniqueid"), message.get("Channel"))
    other = journeys.known(message.get("TargetUniqueid"), message.get("TargetChannel"))
    if by is None:
        return
    trail = journeys.trail(by)
    if other is not None:
        trail = journeys.join(trail, journeys.trail(other))
    to, at = message.get("TransferExten"), message.epoch_s
    if message.get("TransferType").lower() != "attended":
        journeys.hand_over(trail, TransferKind.BLIND, by, to, at, is_done=True)
        return
    over = journeys.hand_over(trail, TransferKind.ATTENDED, by, to, at, is_done=True)
    over.target = over.target or _target(trail, None, (by, trail.root))


# -------------------------------------------------------------------------- what our dialplan tells


def _user_event(journeys: Journeys, message: Message) -> None:
    kind = message.get("UserEvent")
    if kind not in ("CallArrived", "EmergencyDialled"):
        return
    party = journeys.known(message.get("Call") or message.get("Uniqueid"), message.get("Channel"))
    if party is None:
        return
    trail = journeys.trail(party)
    trail.number = trail.number or number_of(plain_text(message.get("Number")))
    trail.name = trail.name or number_of(plain_text(message.get("Name")))
    trail.called = trail.called or message.get("Called") or message.get("Line")


_RULES: Final[Mapping[str, Rule]] = {
    "Newchannel": _new_channel,
    "Newstate": _state,
    "NewCallerid": _caller_id,
    "Newcallerid": _caller_id,
    "Rename": _renamed,
    "Hangup": _hung_up,
    "LocalBridge": _local,
    "DialBegin": _dial_began,
    "DialEnd": _dial_ended,
    "Dial": _old_dial,
    "OriginateResponse": _originated,
    "Pickup": _picked_up,
    "QueueCallerJoin": _joined,
    "Join": _joined,
    "QueueCallerAbandon": _left_waiting,
    "AgentLogin": _agent_waits,
    "AgentCalled": _agent_called,
    "AgentConnect": _agent_connected,
    "AgentComplete": _agent_completed,
    "BridgeEnter": _entered,
    "BridgeLeave": _left,
    "Bridge": _old_bridge,
    "Link": _old_bridge,
    "ConfbridgeJoin": _in_conference,
    "MeetmeJoin": _in_conference,
    "Newexten": _application,
    "BlindTransfer": _blind,
    "AttendedTransfer": _attended,
    "Transfer": _old_transfer,
    "UserEvent": _user_event,
}

JOURNEY_EVENTS: Final = frozenset(_RULES)
"""Events that tell something of a journey."""
