"""Says in a pack's own notation what a rule's value may look like, for people who write packs."""

import msgspec
from msgspec import inspect

from rules.catalogue import Rule


def shape(rule: Rule[object]) -> str:
    """Describe a value, e.g. ``{ years = 1…100 }``."""
    return _of(inspect.type_info(rule.kind))


def _of(kind: inspect.Type) -> str:
    match kind:
        case inspect.BoolType():
            return "true"
        case inspect.IntType():
            return "whole number" if kind.ge is None else f"{kind.ge}…{kind.le}"
        case inspect.StrType():
            return '"HH:MM"' if kind.pattern and ":" in kind.pattern else '"text"'
        case inspect.DateType():
            return "YYYY-MM-DD"
        case inspect.EnumType():
            return " | ".join(f'"{member.value}"' for member in kind.cls)
        case inspect.VarTupleType():
            return f"[{_of(kind.item_type)}, …]"
        case inspect.TupleType():
            return f"[{', '.join(map(_of, kind.item_types))}]"
        case inspect.UnionType():
            return " | ".join(_of(t) for t in kind.types if not isinstance(t, inspect.NoneType))
        case inspect.StructType():
            return f"{{ {', '.join(map(_field, kind.fields))} }}"
        case _:
            raise TypeError(f"no rule's value is a {type(kind).__name__}")


def _field(field: inspect.Field) -> str:
    optional = "" if field.required else f" ({_default(field.default)})"
    return f"{field.encode_name} = {_of(field.type)}{optional}"


def _default(default: object) -> str:
    if default is None:
        return "may be left out"
    return f"left out: {msgspec.json.encode(default).decode()}"
