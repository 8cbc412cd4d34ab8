"""How often a number may call before it is answered after others, and what admission says of that.

Nobody is refused by it: who calls too often is offered progress by machine and waits behind the
others for a bounded time (``[often]`` in the dialplan). A caller without a number is not counted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from base.errors import SetupError
from routing.admission import Admission
from rules.values import Misuse

_RATE: Final = re.compile(r"^([1-9][0-9]{0,3})/([1-9][0-9]{0,2})([mhd])$")
_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400}
MOST_WINDOW_S: Final = 7 * 86_400
OFTEN: Final = "often"
"""The dialplan's [often]."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``calls`` within ``window_s`` are nobody's business; the next one is one too many."""

    calls: int
    window_s: int

    @property
    def gap_ms(self) -> int:
        return max(1, self.window_s * 1_000 // self.calls)

    @property
    def window_ms(self) -> int:
        return self.window_s * 1_000


def parse_rates(texts: Sequence[str]) -> tuple[Rate, ...]:
    """Read ``4/10m``, ``10/1h``, ``20/1d``, in any order; none: nothing is counted."""
    return tuple(sorted(map(_parsed, texts), key=lambda rate: rate.window_s))


def _parsed(text: str) -> Rate:
    found = _RATE.match(text.strip())
    window_s = 0 if found is None else int(found[2]) * _SECONDS[found[3]]
    if found is None or window_s > MOST_WINDOW_S:
        raise SetupError(
            f"{text!r} is no rate of calls",
            fix="write throttle.rates as calls/time with m, h or d (at most 7d): 4/10m, 20/1d",
        )
    return Rate(int(found[1]), window_s)


@dataclass(frozen=True, slots=True)
class Suspended:
    """A suspension that is running."""

    until: datetime
    misuse: Misuse | None


def at_entry(
    decision: Admission, *, suspended: Suspended | None, is_often: bool, at: datetime
) -> Admission:
    """Lay a suspension, or too many calls, over what admission decided.

    An event (its prompt, its priority) goes before rates: then everybody calls often.
    """
    if suspended is not None and at < suspended.until:
        return replace(decision, prompt=_suspended_prompt(suspended, at), priority=0)
    if is_often and not decision.prompt and not decision.priority:
        return replace(decision, prompt=OFTEN)
    return decision


def _suspended_prompt(suspended: Suspended, at: datetime) -> str:
    """What the dialplan's [suspended] reads: why, and how many hours are left (rounded up)."""
    why = "abuse" if suspended.misuse is Misuse.HARASSMENT else "use"
    hours = -int(-(suspended.until - at).total_seconds() // 3_600)
    return f"suspended-{why}-{min(hours, 999)}"
