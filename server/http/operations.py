"""What can be asked over HTTP, each once, as data: its route, its types, and what it may refuse.

What a body holds is said by a type and checked by it when read. What an operation refuses follows
from its other parts, and only what is its own is named. ``server.http.openapi`` makes the document
of it, which so cannot say something else.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from base.database import DatabaseUnavailable
from base.errors import HotlineError
from server.auth import NotSignedIn, TooManyAttempts
from server.citizen_door import CodeWrong
from server.http.identity import NotAllowed
from server.http.problems import OF_BODY, OF_FILE, BadBody, ForeignOrigin
from server.once import KeyReused, KeyUnfit
from tickets.refusals import LostRace, TicketUnseen

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refusals = tuple[type[HotlineError], ...]
KEY: Final = "Idempotency-Key"
E_TAG: Final = "If-Match"
CODE: Final = "X-Code"
ONCE: Final = {KEY: "sent again with the same content, it gives the first answer"}
TICKET: Final = "number"
"""What stands for a ticket in a path."""
WHOLE_NUMBERS: Final = frozenset({"event", "outage", "study"})
"""What stands for a whole number in a path."""
_PLACE: Final = re.compile(r"\{(\w+)\}")


class Asker(StrEnum):
    """Who may ask."""

    ACCOUNT = "account"
    """Everybody who is signed in."""
    ROLE = "role"
    """Who is signed in and has one of the roles that it is for."""
    CODE = "code"
    """A caller without an account, by a ticket's number and its code."""


_OF_ASKER: Final[Mapping[Asker, Refusals]] = {
    Asker.ACCOUNT: (NotSignedIn,),
    Asker.ROLE: (NotSignedIn, NotAllowed),
    Asker.CODE: (CodeWrong, TooManyAttempts),
}
_OF_HEADER: Final[Mapping[str, Refusals]] = {
    KEY: (KeyReused, KeyUnfit),
    E_TAG: (BadBody, LostRace),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked over HTTP."""

    method: str
    path: str
    name: str
    says: str
    """What it does, in a line."""
    handler: Handler
    asker: Asker = Asker.ROLE
    takes: Any = None
    """The JSON body's type; None: no body, or a file (``takes_file``)."""
    takes_file: bool = False
    gives: Any = None
    """The JSON answer's type; None: something else, said by ``gives_media``."""
    gives_media: str = ""
    status: int = 200
    or_status: int | None = None
    """Another status of the same answer."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    refuses: Refusals = ()
    """What its other parts do not say already."""

    def route(self) -> web.RouteDef:
        return web.route(self.method, self.path, self.handler)

    @property
    def places(self) -> list[str]:
        """The names in its path."""
        return _PLACE.findall(self.path)

    def refusals(self) -> list[type[HotlineError]]:
        """Everything that a request may be refused with, by status and code; no fault of ours."""
        found: set[type[HotlineError]] = {DatabaseUnavailable, *self.refuses}
        found.update(_OF_ASKER[self.asker], self._of_content())
        if TICKET in self.places and self.asker is not Asker.CODE:
            found.add(TicketUnseen)
        if not WHOLE_NUMBERS.isdisjoint(self.places):
            found.add(BadBody)
        for header in self.headers:
            found.update(_OF_HEADER[header])
        return sorted(found, key=lambda each: (each.http_status, each.code))

    def _of_content(self) -> Refusals:
        if self.takes is not None:
            return OF_BODY
        if self.takes_file:
            return OF_FILE
        return () if self.method == "GET" else (ForeignOrigin,)
