"""A demand as it comes in, by whatever channel. Pure.

One queue and one numbering for all channels (R001). A call's confirmed draft becomes one too
(``tickets.registration``). Which caller is the same as before is the store's to say.
"""

from typing import Annotated, TypeAlias

import msgspec

from base.ids import CallId, UnitId
from rules.pack import Pack
from tickets.facts import PackId
from tickets.moves import Code, Line, Text
from tickets.ticket import Channel, Lane, Matter, TicketType, Urgency, is_urgent

Short: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
Number: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(\+?[0-9]{3,20})?$")]
WITHHELD = "［内容涉密，未作记录］"


class Demand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody asks of the city."""

    channel: Channel
    type: TicketType
    demand: Text
    content: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    title: Annotated[str, msgspec.Meta(max_length=100)] = ""
    topic: Annotated[str, msgspec.Meta(max_length=64)] = ""
    domain: str = ""
    region: str = ""
    place: Short = ""
    occurred: Short = ""
    urgency: Urgency = Urgency.NORMAL
    matter: Matter = Matter.ORDINARY
    lane: Lane = Lane.ORDINARY
    caller_name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    caller_number: Number = ""
    contact_number: Number = ""
    wants_reply: bool = True
    is_confidential: bool = False
    is_truth_notice_given: bool = False
    """The caller was told that they answer for the truth (R016)."""
    accused_units: list[UnitId] = []
    accused_people: list[Line] = []
    former: Annotated[str, msgspec.Meta(max_length=40)] = ""
    """Number of the ticket that it repeats or continues."""
    call: CallId | None = None
    message: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """The channel's own id of the message: the same one twice makes one ticket."""
    staff: Code | None = None
    """Who a staff complaint is about, by the name they sign in with; they never see it (R017)."""
    is_withheld: bool = False
    """What was said touches a secret: none of it is written down (R034)."""

    @property
    def is_reachable(self) -> bool:
        """Name and a way to reach them: what a reply needs (Hangzhou 17)."""
        return bool(self.caller_name.strip() and (self.contact_number or self.caller_number))

    @property
    def is_urgent(self) -> bool:
        return is_urgent(self.matter, self.urgency)


def pack_id(pack: Pack) -> PackId:
    return PackId(name=pack.id, version=pack.version, hash=pack.digest)
