"""TypeScript from JSON schema as msgspec makes it. Pure."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

Schema = Mapping[str, Any]


def choice(name: str, values: Iterable[str]) -> str:
    """A list that exists at run time, and its type: so that the page can offer all choices."""
    constant = "".join(f"_{c}" if c.isupper() else c for c in name).strip("_").upper() + "S"
    listed = "".join(f"  '{value}',\n" for value in values)
    return (
        f"export const {constant} = [\n{listed}] as const\n"
        f"export type {name} = (typeof {constant})[number]\n"
    )


def named_union(name: str, values: Iterable[str]) -> str:
    """A type of texts that nothing needs to list at run time."""
    return f"export type {name} = {' | '.join(map(repr, values))}\n"


def interface(name: str, schema: Schema, names: Mapping[frozenset[str], str]) -> str:
    """Every property is there on the wire: the encoder writes defaults too."""
    about = "".join(f" * {line}".rstrip() + "\n" for line in _about(schema))
    comment = f"/**\n{about} */\n" if about else ""
    properties = "".join(
        f"  {key}: {_type(value, names)}\n" for key, value in schema["properties"].items()
    )
    return f"{comment}export interface {name} {{\n{properties}}}\n"


def _about(schema: Schema) -> list[str]:
    return inspect.cleandoc(schema.get("description", "")).replace("``", "`").splitlines()


def _type(schema: Schema, names: Mapping[frozenset[str], str]) -> str:
    match schema:
        case {"$ref": str(name)}:
            return name
        case {"anyOf": list(options)}:
            return _joined(_type(option, names) for option in options)
        case {"enum": list(values)}:
            return _enum(values, names)
        case {"type": "array", "items": items}:
            return f"{_type(items, names)}[]"
        case {"type": "object", "additionalProperties": values}:
            return f"Record<string, {_type(values, names)}>"
        case {"type": "string" | "boolean" | "null" as kind}:
            return str(kind)
        case {"type": "integer" | "number"}:
            return "number"
        case {"description": str()}:
            return "unknown"
        case _:
            raise NotImplementedError(f"no TypeScript for {schema!r}")


def _enum(values: list[str | None], names: Mapping[frozenset[str], str]) -> str:
    """A choice by its name where it has one; msgspec folds ``| None`` into the values."""
    texts = [value for value in values if value is not None]
    named = names.get(frozenset(texts)) or " | ".join(f"'{text}'" for text in sorted(texts))
    return f"{named} | null" if None in values else named


def _joined(options: Iterable[str]) -> str:
    """``null`` last."""
    return " | ".join(sorted(options, key=lambda option: option == "null"))
