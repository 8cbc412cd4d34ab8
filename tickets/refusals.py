"""Why a move is refused: stable codes, and where it is the law, its rule and article. Pure data."""

from typing import ClassVar, Final

from base.errors import HotlineError


class MoveRefused(HotlineError):
    """The ticket cannot be moved like that."""

    code: ClassVar[str] = "ticket_move_refused"
    http_status = 409


class IllegalMove(MoveRefused):
    """The ticket's state does not allow this."""

    code = "ticket_move_illegal"


class NotYours(MoveRefused):
    """This move belongs to somebody else."""

    code = "ticket_move_not_yours"
    http_status = 403


class LostRace(MoveRefused):
    """Somebody else moved the ticket in between; look at it anew."""

    code = "ticket_version_conflict"


class RefusedByLaw(MoveRefused):
    """The rules that this ticket lives under do not give this."""

    code = "ticket_refused_by_law"
    http_status = 422


class NotSaid(MoveRefused):
    """Something that this move needs is missing."""

    code = "ticket_move_incomplete"
    http_status = 422


class NotFitting(MoveRefused):
    """What was said does not fit the ticket."""

    code = "ticket_move_unfit"
    http_status = 422


class UnitUnfit(MoveRefused):
    """The unit cannot be given this ticket."""

    code = "ticket_unit_unfit"
    http_status = 422


class TicketUnseen(MoveRefused):
    """There is no such ticket, or it is not yours to see."""

    code = "ticket_unseen"
    http_status = 404


OF_LAW: Final = (RefusedByLaw, NotSaid)
"""What asking the city's rules may end in."""
OF_MOVES: Final = (
    *OF_LAW,
    IllegalMove,
    NotYours,
    LostRace,
    NotFitting,
    UnitUnfit,
    TicketUnseen,
)
"""What a move may be refused with."""
