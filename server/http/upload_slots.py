"""How many files may come at once: the centre's and units' people, and callers beside them.

Callers have places of their own, so that who is not signed in takes none from those who work; and
one for each ticket, so that one of them takes none from the others. Full is refused, not queued.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final

from base.errors import HotlineError
from base.ids import TicketId

MOST_OF_STAFF: Final = 8
MOST_OF_CALLERS: Final = 3


class AttachmentsBusy(HotlineError):
    """Too many files are coming at once; try again in a moment."""

    code: ClassVar[str] = "attachments_busy"
    http_status: ClassVar[int] = 503
    retryable: ClassVar[bool] = True


class UploadSlots:
    """Of one process."""

    def __init__(self) -> None:
        self._of_staff = 0
        self._of_callers: set[TicketId] = set()

    @contextmanager
    def staff(self) -> Iterator[None]:
        """A place for somebody who is signed in, or ``AttachmentsBusy``."""
        if self._of_staff >= MOST_OF_STAFF:
            raise AttachmentsBusy
        self._of_staff += 1
        try:
            yield
        finally:
            self._of_staff -= 1

    @contextmanager
    def caller(self, ticket: TicketId) -> Iterator[None]:
        """A place for the caller of a ticket, or ``AttachmentsBusy``."""
        if ticket in self._of_callers or len(self._of_callers) >= MOST_OF_CALLERS:
            raise AttachmentsBusy
        self._of_callers.add(ticket)
        try:
            yield
        finally:
            self._of_callers.discard(ticket)
