"""Callers who misuse the line, as the leaders' page is told of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from base.ids import CallId
from routing.nuisance import Standing
from server.nuisance_callers import NuisanceCaller


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


def step(kind: str, hours: float, by: str | None, reason: str = "") -> dict[str, object]:
    return {
        "kind": kind,
        "at": ago(hours),
        "misuse": "repeated_use",
        "call": "n-1",
        "by": by,
        "until": None,
        "reason": reason,
    }


def proposed() -> dict[str, Any]:
    """An agent's proposal that waits for a leader."""
    return {
        "id": "5d1f",
        "caller": 9,
        "caller_number": "138****0001",
        "misuse": "repeated_use",
        "reason": "一周内无诉求来电四十余次，提醒后仍继续",
        "proposed_by_name": "李敏",
        "proposed_at": ago(1),
        "decided_by_name": None,
        "decided_at": None,
        "until_at": None,
        "lifted_at": None,
        "standing": "proposed",
        "is_mine": False,
        "steps": [
            step("warn", 30, "李敏"),
            step("mark", 2, "王强"),
            step("propose", 1, "李敏", "提醒后仍继续"),
        ],
    }


def decided(row: dict[str, Any], kind: str, reason: str) -> dict[str, Any]:
    """The row after a leader's step."""
    changes: dict[str, Any] = {"steps": [*row["steps"], step(kind, 0, "赵班长", reason)]}
    if kind == "approve":
        changes |= {"decided_at": ago(0), "decided_by_name": "赵班长", "until_at": ago(-24)}
    if kind == "lift":
        changes |= {"lifted_at": ago(0)}
    return {**row, **changes}


def caller() -> NuisanceCaller:
    """A number that was warned and marked."""
    return NuisanceCaller(
        id=9,
        caller_number="138****0001",
        call=CallId("n-1"),
        standing=Standing.PROPOSED,
        until=None,
        marks=3,
        warnings=1,
        misuses=["repeated_use"],
        last_at=ago(1),
        reveals=[],
    )
