"""``hotline diagrams``: draw the state machines of the code as pages of docs/diagrams.

A diagram drawn by hand is right on the day it is drawn. These are made from the very tables that
the product runs by; a test fails when a page is stale.
"""

import argparse
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from base.errors import SetupError
from routing.agents import TABLE, AgentState, QueueMark, Trigger
from server.settings_loader import REPOSITORY
from tickets.assignment import AssignmentState
from tickets.lifecycle import ROWS, Row
from tickets.moves import tag_of
from tickets.ticket import TicketState

S = TypeVar("S", bound=StrEnum)
FOLDER = REPOSITORY / "docs" / "diagrams"

_AGENTS_HEAD = """\
# An agent's states

Made by `./hotline diagrams` from `TABLE` in `routing/agents.py`. Do not edit: a test compares the
two.

Arrows that lead back to the same state are left out of the picture and stand in the table.
`ring_withdrawn`, `dial_over` and `phone_back` stand in neither: they lead back to where the agent
was before the ringing, the dialled call or the loss of the phone. Nor does `found`: a state that
somebody else kept for us is taken over as it is.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("diagrams", help="write docs/diagrams from the code's tables")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a page is stale"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the pages, or compare them."""
    if not FOLDER.is_dir():
        raise SetupError("docs/diagrams is not here", fix="run it from a clone of the source")
    stale = [name for name, text in pages().items() if not _is_current(FOLDER / name, text)]
    if args.check:
        for name in stale:
            print(f"FAIL docs/diagrams/{name} is stale\nfix: ./hotline diagrams", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).write_text(pages()[name], "utf-8")
        print(f"docs/diagrams/{name} written")
    return 0


def pages() -> Mapping[str, str]:
    """Every page by its file name."""
    return {"agents.md": agents_page(), "tickets.md": tickets_page()}


_TICKETS_HEAD = """\
# A ticket's states

Made by `./hotline diagrams` from `ROWS` in `tickets/lifecycle.py`. Do not edit: a test compares the
two. What it means stands in [WORK_ORDER.md](../WORK_ORDER.md).

Moves that leave a ticket where it is are left out of the pictures and stand in the table, and so is
`reopen`, which leads from every settled state back to `to_dispatch`.
"""


def tickets_page() -> str:
    """A ticket's states, an assignment's, and the table of moves."""
    units = ["## At one unit", "", *_assignment_picture(), ""]
    return "\n".join([_TICKETS_HEAD, *_ticket_picture(), "", *units, "## Moves", "", *_moves(), ""])


def _ticket_picture() -> list[str]:
    arrows: dict[tuple[TicketState, TicketState], list[str]] = {}
    for row in ROWS:
        name = tag_of(row.move)
        for state in row.from_:
            for following in row.edge.to:
                if following is not state and name not in ("reopen", "recuse"):
                    arrows.setdefault((state, following), []).append(name)
    return _mermaid(TicketState.REGISTERED, arrows)


def _assignment_picture() -> list[str]:
    arrows: dict[tuple[AssignmentState, AssignmentState], list[str]] = {}
    for row in ROWS:
        for state in AssignmentState:
            for following in row.edge.becomes:
                if state in row.edge.at_unit and following is not state:
                    arrows.setdefault((state, following), []).append(tag_of(row.move))
    return _mermaid(AssignmentState.SENT, arrows)


def _mermaid(first: StrEnum, arrows: Mapping[tuple[S, S], list[str]]) -> list[str]:
    lines = [
        f"    {state} --> {following}: {', '.join(names)}"
        for (state, following), names in arrows.items()
    ]
    return ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *lines, "```"]


def _moves() -> list[str]:
    return [
        "The rule is the one that a city's pack must give; `–`: own practice, though the act may",
        "still ask the pack. Where several states stand in the last column, the act chooses.",
        "",
        "| move | in state | who | rule | assignment | leads to |",
        "|---|---|---|---|---|---|",
        *map(_move, ROWS),
    ]


def _move(row: Row) -> str:
    edge = row.edge
    unit = ", ".join(state for state in AssignmentState if state in edge.at_unit)
    if edge.becomes:
        unit += f" → {', '.join(edge.becomes)}"
    cells = (
        f"`{tag_of(row.move)}`",
        ", ".join(row.from_),
        ", ".join(sorted(edge.who)),
        f"`{edge.rule.name}`" if edge.rule is not None else "–",
        unit,
        ", ".join(edge.to),
    )
    return "| " + " | ".join(cells) + " |"


def agents_page() -> str:
    """The agents' state machine as a picture and as a table."""
    return "\n".join([_AGENTS_HEAD, *_picture(), "", *_table(), ""])


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


def _picture() -> list[str]:
    arrows: dict[tuple[AgentState, AgentState], list[str]] = {}
    for (state, trigger), (following, _mark) in TABLE.items():
        if following is not state:
            arrows.setdefault((state, following), []).append(trigger)
    return _mermaid(AgentState.OFFLINE, arrows)


def _table() -> list[str]:
    """One row a trigger; a cell holds the next state and what the queues are told, if anything."""
    states = list(AgentState)
    rows = [
        f"| `{trigger}` | " + " | ".join(_cell(state, trigger) for state in states) + " |"
        for trigger in Trigger
        if any(told is trigger for _state, told in TABLE)
    ]
    head = "| trigger | " + " | ".join(states) + " |"
    return [
        "An empty cell: a wish is refused, a fact changes nothing. (pause) and (ready) are what",
        "the queues are told.",
        "",
        head,
        "|---" * (len(states) + 1) + "|",
        *rows,
    ]


def _cell(state: AgentState, trigger: Trigger) -> str:
    edge = TABLE.get((state, trigger))
    if edge is None:
        return ""
    following, mark = edge
    return following.value if mark is QueueMark.KEEP else f"{following} ({mark})"
