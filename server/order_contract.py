"""The work order's interface as the pages know it: its types, and a form for each move.

``web/src/order_contract.ts`` is made of what the routes give and of ``tickets.moves``; so a move
has one declaration, and its form cannot ask for something else. The words are the browser's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from base.ids import AssignmentId, TicketId, UnitId, UserId
from server.http.oversight_routes import FaultsListed, Refusals
from server.http.work_order_routes import Moved, Page, Shown, ShownToUnit
from server.typescript import choice, interface, named_union
from tickets import moves as m
from tickets.access import Access
from tickets.board import Similar
from tickets.known_codes import KNOWN_CODES
from tickets.outages import Outage
from tickets.oversight import Evidence
from tickets.studies import Cluster, Study
from tickets.suggesting import Proposal
from tickets.units import OrganisationUnit

FILE: Final = Path(__file__).resolve().parents[1] / "web" / "src" / "order_contract.ts"
LONGEST_LINE: Final = 500
SHOWN: Final = (
    Page,
    Shown,
    ShownToUnit,
    Moved,
    Access,
    OrganisationUnit,
    Proposal,
    Similar,
    Cluster,
    Study,
    Outage,
    FaultsListed,
    Evidence,
    Refusals,
)

_HEAD = """\
// Made by `hotline contract` from the work order's interface. Do not edit: a test compares the two.
// Instants (`…_at`, `at`) are ISO 8601 with an offset.
"""
_FORMS_HEAD = """\
export interface MoveField {
  name: MoveFieldName
  kind: FieldKind
  /** It must be said. */
  isNeeded: boolean
  /** Of a `choice` or of `checks`. */
  options?: readonly string[]
  /** Of a list's rows. */
  fields?: readonly MoveField[]
  /** The longest text, in characters. */
  most?: number
}
"""


class FieldKind(StrEnum):
    """How something is asked."""

    LINE = "line"
    TEXT = "text"
    """Several lines."""
    BOOL = "bool"
    NUMBER = "number"
    DATE = "date"
    INSTANT = "instant"
    CHOICE = "choice"
    CHECKS = "checks"
    """Each of the options is so, or is not."""
    UNIT = "unit"
    ASSIGNMENT = "assignment"
    """The button says which."""
    LINES = "lines"
    """Several, one in a row."""
    UNITS = "units"
    ROWS = "rows"
    """Several, each with fields of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that a form asks."""

    name: str
    kind: FieldKind
    is_needed: bool
    options: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()
    most: int | None = None


def forms() -> dict[str, tuple[Field, ...]]:
    """Each move's fields, in the order of their declaration."""
    return {m.tag_of(move): _fields(move) for move in get_args(m.Move)}


def _fields(struct: type) -> tuple[Field, ...]:
    hints = get_type_hints(struct, include_extras=True)
    return tuple(
        _field(struct, each.name, hints[each.name], is_needed=each.required)
        for each in msgspec.structs.fields(struct)
    )


def _field(struct: type, name: str, hint: Any, *, is_needed: bool) -> Field:
    bare, limits = _bare(hint)
    known = KNOWN_CODES.get((struct, name))
    options = () if known is None else tuple(str(each) for each in known)
    inner: tuple[Field, ...] = ()
    most = next((each.max_length for each in limits if each.max_length), None)
    item = _bare(get_args(bare)[0])[0] if get_origin(bare) is list else None
    if item is not None:
        most = None
    if isinstance(bare, type) and issubclass(bare, StrEnum):
        kind, options = FieldKind.CHOICE, tuple(str(each) for each in bare)
    elif get_origin(bare) is dict:
        kind = FieldKind.CHECKS
    elif options:
        kind, most = FieldKind.CHOICE, None
    elif item is UnitId:
        kind = FieldKind.UNITS
    elif isinstance(item, type) and issubclass(item, msgspec.Struct):
        kind, inner = FieldKind.ROWS, _fields(item)
    elif item is not None:
        kind = FieldKind.LINES
    elif bare is str:
        kind = FieldKind.TEXT if (most or 0) > LONGEST_LINE else FieldKind.LINE
    else:
        kind = _PLAIN[bare]
    return Field(
        name=name, kind=kind, is_needed=is_needed, options=options, fields=inner, most=most
    )


_PLAIN: Final[Mapping[Any, FieldKind]] = {
    bool: FieldKind.BOOL,
    int: FieldKind.NUMBER,
    date: FieldKind.DATE,
    datetime: FieldKind.INSTANT,
    UnitId: FieldKind.UNIT,
    AssignmentId: FieldKind.ASSIGNMENT,
    TicketId: FieldKind.LINE,
    UserId: FieldKind.LINE,
}


def _bare(hint: Any) -> tuple[Any, list[msgspec.Meta]]:
    """Without ``| None`` and limits; and the limits."""
    if get_origin(hint) is Annotated:
        inner, *metas = get_args(hint)
        bare, limits = _bare(inner)
        return bare, [*limits, *(each for each in metas if isinstance(each, msgspec.Meta))]
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (each for each in get_args(hint) if each is not type(None))
        return _bare(inner)
    return hint, []


# ---- the file ------------------------------------------------------------------------------------


def text() -> str:
    """Return the whole TypeScript file."""
    _, components = msgspec.json.schema_components(
        SHOWN, schema_hook=lambda _type: {"description": "any JSON"}, ref_template="{name}"
    )
    names: dict[frozenset[str], str] = {}
    parts = [_HEAD]
    for name, schema in sorted(components.items()):
        if "enum" in schema:
            parts.append(named_union(name, schema["enum"]))
    parts += [
        interface(name, schema, names)
        for name, schema in sorted(components.items())
        if "enum" not in schema
    ]
    made = forms()
    parts.append(choice("FieldKind", FieldKind))
    parts.append(choice("MoveName", made))
    every = [field for fields in made.values() for field in _all(fields)]
    parts.append(choice("MoveFieldName", sorted({field.name for field in every})))
    parts.append(choice("MoveOption", sorted({each for field in every for each in field.options})))
    parts.append(_FORMS_HEAD)
    listed = "".join(f"  {name}: [{_listed(fields, 4)}],\n" for name, fields in made.items())
    parts.append(
        "export const MOVE_FORMS: Record<MoveName, readonly MoveField[]> = {\n" + listed + "}\n"
    )
    return "\n".join(parts)


def _all(fields: Iterable[Field]) -> Iterable[Field]:
    for field in fields:
        yield field
        yield from _all(field.fields)


def _listed(fields: Iterable[Field], indent: int) -> str:
    lines = [f"\n{' ' * indent}{_literal(field, indent)}," for field in fields]
    return "".join(lines) + (f"\n{' ' * (indent - 2)}" if lines else "")


def _literal(field: Field, indent: int) -> str:
    said = [f"name: '{field.name}'", f"kind: '{field.kind}'"]
    said.append(f"isNeeded: {str(field.is_needed).lower()}")
    if field.options:
        said.append(f"options: [{', '.join(repr(each) for each in field.options)}]")
    if field.fields:
        said.append(f"fields: [{_listed(field.fields, indent + 2)}]")
    if field.most:
        said.append(f"most: {field.most}")
    return "{ " + ", ".join(said) + " }"
