"""What the product asks of each private service."""

from enum import StrEnum
from typing import Protocol


class Begun(StrEnum):
    """How ``start`` found its service."""

    STARTED = "started"
    """It was not running; it is now."""
    ADOPTED = "adopted"
    """It ran already and is ours."""
    OUTSIDE = "outside"
    """The settings name a server that is not ours to start."""


class Service(Protocol):
    """One private service. All calls are blocking and bounded in time."""

    @property
    def name(self) -> str: ...

    def start(self) -> Begun:
        """Start or adopt it and return when it answers; ``SetupError`` says why it cannot."""

    def stop(self) -> bool:
        """Stop it; False when it was not running."""

    def pid(self) -> int | None:
        """Return the process number of the running service that is ours."""

    def has_died(self) -> bool:
        """Whether it ended without being stopped: its pid file stands, its process does not."""
