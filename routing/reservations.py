"""Who is kept for what, and until when: an agent taken out of the queues' choice for one purpose.

Pure. A reservation is a lease: whoever made it may die, and the agent is free again when the lease
ends. It lives in memory only: a bridge that starts anew finds the queues' mark without a lease and
frees the agent (``routing.desks``), so that nobody stays reserved for a purpose that is gone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from base.errors import HotlineError
from base.ids import AgentId, CallId

LONGEST_LEASE: Final = timedelta(minutes=5)


class NotReserved(HotlineError):
    """The reservation is over: its lease ended, or the agent went on to something else."""

    code: ClassVar[str] = "reservation_over"
    http_status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class Reservation:
    """One agent, kept for one purpose."""

    agent: AgentId
    purpose: str
    """``return_call``, ``transfer`` …: kept with the agent's move."""
    until_at: datetime
    call: CallId | None = None


class Reservations:
    """At most one an agent; bounded by the number of agents."""

    def __init__(self) -> None:
        self._held: dict[AgentId, Reservation] = {}

    def keep(
        self,
        agent: AgentId,
        purpose: str,
        *,
        at: datetime,
        lease: timedelta,
        call: CallId | None = None,
    ) -> Reservation:
        """Begin a lease, of at most ``LONGEST_LEASE``."""
        made = Reservation(agent, purpose, at + min(lease, LONGEST_LEASE), call)
        self._held[agent] = made
        return made

    def of(self, agent: AgentId) -> Reservation | None:
        """What the agent is kept for."""
        return self._held.get(agent)

    def drop(self, agent: AgentId) -> None:
        """The purpose is done, or void."""
        self._held.pop(agent, None)

    def check(self, reservation: Reservation, *, at: datetime) -> None:
        """Raise ``NotReserved`` unless this very reservation still holds."""
        if self._held.get(reservation.agent) is not reservation or reservation.until_at <= at:
            raise NotReserved(agent=reservation.agent)

    def ended(self, at: datetime) -> list[AgentId]:
        """Whose lease has run out."""
        return [agent for agent, each in self._held.items() if each.until_at <= at]
