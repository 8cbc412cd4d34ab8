"""Lets a caller in to their own ticket by its number and code; guessing is braked.

Wrong codes count against the ticket and against where they come from, before they are compared. A
ticket in a locked lane is shown to its own caller in writing (Jinan 15); the telephone does not
tell it from one that is not there, since others may listen.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from base.errors import HotlineError
from base.ids import UserId
from server.auth import SignIn
from server.citizen_code import CitizenCodes
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.refusals import TicketUnseen
from tickets.ticket import Lane
from tickets.work_orders import WorkOrders

FREE_ATTEMPTS_PER_TICKET: Final = 10
CALLER: Final = Actor(user=UserId("caller"), roles=frozenset({ActorRole.CALLER}))


class CodeWrong(HotlineError):
    """There is no such ticket, or the code is not its."""

    code: ClassVar[str] = "citizen_code_wrong"
    http_status: ClassVar[int] = 403


@dataclass(frozen=True, slots=True)
class Origin:
    """Where somebody asks from, and how often they may be wrong there.

    One without a name is nowhere: strangers have no attempts in common; the ticket's brake holds.
    """

    kind: str
    name: str
    free_attempts: int


class CitizenDoor:
    """One installation's."""

    def __init__(self, sign_in: SignIn, orders: WorkOrders, codes: CitizenCodes) -> None:
        self._sign_in = sign_in
        self._orders = orders
        self._codes = codes

    async def facts(
        self, number: str, code: str, origin: Origin, *, is_locked_shown: bool = False
    ) -> TicketFacts:
        """The ticket; ``CodeWrong``, or ``TooManyAttempts`` from ``server.auth``."""
        await self._sign_in.brake("citizen-ticket", number, FREE_ATTEMPTS_PER_TICKET)
        if origin.name:
            await self._sign_in.brake(origin.kind, origin.name, origin.free_attempts)
        if not self._codes.fits(number, code):
            raise CodeWrong
        try:
            facts = await self._orders.facts(await self._orders.id_of(number), CALLER)
        except TicketUnseen as error:
            raise CodeWrong from error
        if facts.lane is not Lane.ORDINARY and not is_locked_shown:
            raise CodeWrong
        await self._sign_in.release("citizen-ticket", number)
        # Not forgotten as a whole: who knows one code could guess others' for ever.
        if origin.name:
            await self._sign_in.give_back(origin.kind, origin.name)
        return facts
