"""What is kept of a caller's journey while it lasts: its channels, its queue, its transfers.

A trail grows as channels turn out to belong together. Every note may be taken twice and changes
nothing the second time: the first instant of each thing is kept.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from telephony.journey import TransferKind

# Channels of machinery: forks to a speech server, spies, conference recorders, masquerades.
_MACHINERY: Final = frozenset(
    {"announcer", "asyncgoto", "audiosocket", "bridge", "cbann", "cbrec", "confbridgerecorder"}
    | {"message", "multicastrtp", "parked", "recorder", "snoop", "surrogate", "unicastrtp"}
    | {"websocket"}
)
# PJSIP/1001-0000002a, SIP/a-b-00000001, DAHDI/i1/5551234-5, IAX2/peer-3312
_SUFFIX: Final = re.compile(r"-[0-9a-fA-F]+(?:;[12])?(?:<(?:MASQ|ZOMBIE)>)?\Z")
_DIALLABLE: Final = re.compile(r"\+?[0-9*#]{2,}")
_LOCAL: Final = re.compile(r"Local/([^@/]*)", re.IGNORECASE)
# Local channels that lead to Local channels: nobody builds more in earnest.
_MOST_LOCALS: Final = 5
_NO_NUMBER: Final = frozenset({"", "<unknown>", "<null>", "(null)", "unknown", "s", "n/a", "N/A"})


@dataclass(slots=True, eq=False)
class Party:
    """One channel. ``…_order`` counts messages: instants may be missing or equal."""

    unique_id: str
    channel: str
    order: int
    began_at: float | None
    number: str = ""
    name: str = ""
    exten: str = ""
    dialled: str = ""
    """What was asked for when it was dialled."""
    is_dialled: bool = False
    """By another channel; an originated one is dialled by nobody."""
    dialled_by: "Party | None" = None
    is_number_own: bool = False
    """Known when it began; later it may be given the extension that was dialled."""
    is_agent: bool = False
    """Rung by a queue."""
    member: str = ""
    dial_status: str = ""
    answered_at: float | None = None
    answered_order: int | None = None
    ended_at: float | None = None
    ended_order: int | None = None
    cause: str = ""
    first_bridge: str = ""
    current_name: str = ""

    @property
    def technology(self) -> str:
        return self.channel.partition("/")[0].lower()

    @property
    def is_local(self) -> bool:
        return self.technology == "local"

    @property
    def is_machinery(self) -> bool:
        return self.technology in _MACHINERY

    @property
    def is_person(self) -> bool:
        return not self.is_local and not self.is_machinery

    @property
    def endpoint(self) -> str:
        """``PJSIP/1001`` of ``PJSIP/1001-0000002a``."""
        return _SUFFIX.sub("", self.channel)

    @property
    def line(self) -> str:
        """The number people would know it by."""
        peer = self.endpoint.rpartition("/")[2]
        if self.dialled and self._is_carried:
            return self.asked
        if self.number and (self.is_number_own or not self.is_dialled):
            return self.number
        return peer if peer.isdigit() else self.number or number_of(self.asked) or peer

    @property
    def asked(self) -> str:
        """The number in what was dialled: ``101``, ``SIP/101``, ``101@trunk``, ``trunk/101``; empty
        for a phone's address (``101/sip:x7@10.0.0.1``), whose user may be anything."""
        user = self.dialled.rpartition("/")[2].partition("@")[0]
        return "" if ":" in user else user

    @property
    def _is_carried(self) -> bool:
        """A number was dialled by way of a carrier: the channel is the carrier's."""
        head, _, rest = self.dialled.partition("/")
        way = rest if head.lower() == self.technology else self.dialled
        return way != self.asked and _DIALLABLE.fullmatch(self.asked) is not None

    @property
    def other_half(self) -> str:
        """The name of a Local channel's other half."""
        stem, _, half = self.channel.rpartition(";")
        return f"{stem};{'1' if half == '2' else '2'}"

    @property
    def is_near_half(self) -> bool:
        """Of a Local channel: the half that whoever asked for it holds; the other runs dialplan."""
        return self.is_local and self.channel.endswith(";1")

    @property
    def local_exten(self) -> str:
        match = _LOCAL.match(self.channel)
        return match[1] if match else ""

    def answer(self, at: float | None, order: int) -> None:
        if self.answered_order is None:
            self.answered_at, self.answered_order = at, order


@dataclass(slots=True, eq=False)
class HandOver:
    """A transfer, or the attempt at one."""

    kind: TransferKind
    by: str
    """Unique id of who hands the call on."""
    from_: str
    to: str
    at: float | None
    order: int
    is_done: bool
    """Asterisk said that it was carried out."""
    is_open: bool = False
    """Handed on while the one asked was still rung, or waited for in a queue."""
    way: Party | None = None
    """The Local channel by which Asterisk lets them ask."""
    target: Party | None = None
    """Who shall take the call; None for a blind one, and where no line of theirs is known."""

    def is_told_again_by(self, other: "HandOver") -> bool:
        """The same attempt, not another one like it; without instants only the next word is."""
        mine, theirs = ((over.kind, over.by, over.to, over.at) for over in (self, other))
        return mine == theirs and (self.at is not None or other.order == self.order + 1)


@dataclass(slots=True, eq=False)
class Trail:
    """One caller's journey so far."""

    parties: dict[str, Party] = field(default_factory=dict)
    queue: str | None = None
    answer_queue: str | None = None
    agent: str | None = None
    connected_at: float | None = None
    connected_order: int | None = None
    was_left_waiting: bool = False
    """The last visit to a queue ended without an answer."""
    served_at: float | None = None
    served_order: int | None = None
    """An application that is a purpose of its own took the call."""
    number: str = ""
    name: str = ""
    called: str = ""
    """What our own dialplan told of the caller."""
    wanted: str = ""
    """Where an originated call was to lead."""
    statuses: set[str] = field(default_factory=set)
    """How dialling ended, where it is told of the caller only."""
    hand_overs: list[HandOver] = field(default_factory=list)
    links: set[str] = field(default_factory=set)
    """Linked ids that lead here."""
    bridges: set[str] = field(default_factory=set)
    standing: int = 0
    """Channels that are not gone; machinery does not count, as it may outlive the call."""

    @property
    def root(self) -> Party:
        """The oldest channel: an older trail's come before those it takes over."""
        return next(iter(self.parties.values()))

    def add(self, party: Party) -> None:
        self.parties[party.unique_id] = party
        self.standing += not party.is_machinery

    def end(self, party: Party, at: float | None, order: int) -> None:
        party.ended_at, party.ended_order = at, order
        self.standing -= not party.is_machinery

    def people(self) -> list[Party]:
        """The channels of people, oldest first."""
        found = [party for party in self.parties.values() if party.is_person]
        return sorted(found, key=lambda party: party.order)

    def ring_of(self, party: Party) -> Party | None:
        """The queue's ring that this channel is, or stands behind by way of Local channels."""
        for _ in range(_MOST_LOCALS):
            if party.is_agent:
                return party
            dialler = party.dialled_by
            if dialler is None or not dialler.is_local:
                return None
            halves = (p for p in self.parties.values() if p.channel == dialler.other_half)
            if (found := next(halves, None)) is None:
                return None
            party = found
        return None

    def take_over(self, younger: "Trail") -> None:
        """Two trails turn out to be one; this one is the older."""
        self.parties.update(younger.parties)
        self.standing += younger.standing
        self.links |= younger.links
        self.bridges |= younger.bridges
        self.queue = self.queue or younger.queue
        self.answer_queue = self.answer_queue or younger.answer_queue
        self.agent = self.agent or younger.agent
        if self.connected_order is None:
            self.connected_at, self.connected_order = younger.connected_at, younger.connected_order
        if self.served_order is None:
            self.served_at, self.served_order = younger.served_at, younger.served_order
        self.was_left_waiting = self.was_left_waiting or younger.was_left_waiting
        for name in ("number", "name", "called", "wanted"):
            setattr(self, name, getattr(self, name) or getattr(younger, name))
        self.statuses |= younger.statuses
        self.hand_overs += younger.hand_overs

    def connect(self, queue: str, agent: str, at: float | None, order: int) -> None:
        """A queue gave the call to a member; the first one counts."""
        if self.connected_order is None:
            self.connected_at, self.connected_order = at, order
            self.agent, self.answer_queue = agent or self.agent, queue or self.queue

    def serve(self, at: float | None, order: int) -> None:
        if self.served_order is None:
            self.served_at, self.served_order = at, order


def number_of(value: str) -> str:
    """A number or extension; empty where Asterisk says it has none."""
    return "" if value in _NO_NUMBER else value
