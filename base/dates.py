"""Which dates may come in from outside: those that everything behind can hold and count with.

Year 1 or 9999 fit a ``datetime``, but not its shift into another time zone, nor a calendar.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def is_near(at: date) -> bool:
    """Between 2000 and 2100."""
    if not isinstance(at, datetime):
        return EARLIEST.year <= at.year < LATEST.year
    return EARLIEST <= (at if at.tzinfo else at.replace(tzinfo=UTC)) < LATEST


def check_dates(value: Any) -> None:
    """Refuse, with a ``ValueError``, a decoded body in which any date is not near."""
    match value:
        case date():
            if not is_near(value):
                raise ValueError(f"{value.isoformat()} is not between 2000 and 2100")
        case msgspec.Struct():
            for name in value.__struct_fields__:
                check_dates(getattr(value, name))
        case Mapping():
            for each in value.values():
                check_dates(each)
        case list() | tuple():
            for each in value:
                check_dates(each)
        case _:
            pass
