"""docs/METRICS.md, made from the measures themselves (``./hotline metrics``)."""

from collections.abc import Iterable
from typing import Final

from insight.measures import AGENT, CALLS, STAFF, Measure

_UNITS: Final = {"count": "number", "share": "share", "seconds": "s"}

_HEAD: Final = """\
# Metrics

Made by `./hotline metrics` from `insight/measures.py`. Do not edit: a test compares the two.

One event log, two readers. The bridge notes each call (`calls`) and each step of an agent
(`agent_moves`) in PostgreSQL; the wall takes the same notes in the moment in which they are made
(`insight/live.py`), the report reads the rows later (`insight/store.py`). Both add up the same
whole numbers, so for one interval both give the same figures, to the last digit
(`tests/unit/insight/test_live.py`, `tests/integration/server/test_wall.py`).

* A call counts in the interval in which it **entered the queue**: after greeting and recording
  notice, when the citizen begins to wait for a person. That instant is the beginning of the 15
  seconds. It counts with what had become of it **before the interval's end**: what happened later
  is not known in it, so asking again for the same interval gives the same figures. A gap in our
  hearing is the exception: what Asterisk's own books tell afterwards is entered, for the wall and
  the report alike.
* Who asked for a return call or left a message had hung up without an agent: abandoned. The return
  call itself is no visit of a queue, since nobody waits on the line.
* The wall's figures end two seconds before now, when all that happened has been heard. Its windows
  begin at full minutes: the last 30 minutes, today (China time), the last 24 hours. Each carries
  its interval; the report of that interval is the same.
* Agents' time is what lies in the interval. Time before a restart of the bridge that found another
  state than was known counts as `unknown`, for nobody's good or ill.
* "Any 24 hours": the report looks at the 24 hours before each full minute of the interval and names
  the worst.
* GB/T 33358 itself was not at hand: its two numbers (15 seconds, 95 %) are, the formulas are ours.
"""


def as_markdown() -> str:
    """The whole document."""
    parts = [
        _HEAD,
        _table("Calls: all, or of one queue", CALLS),
        _table("All agents together", STAFF),
        _table("One agent", AGENT),
    ]
    return "\n".join(parts)


def _table(title: str, measures: Iterable[Measure]) -> str:
    rows = "".join(
        f"| `{each.code}` | {each.name} | {_UNITS[each.unit]} | {each.formula} |"
        f" {each.source}{_goal(each)} |\n"
        for each in measures
    )
    columns = "| code | name | unit | formula | source, goal |\n|---|---|---|---|---|\n"
    return f"## {title}\n\n{columns}{rows}"


def _goal(measure: Measure) -> str:
    return "" if measure.goal is None else f" (goal: {measure.goal:g})"
