"""The interface as data: each operation once, from which come its route and OpenAPI 3.1.

What a body holds is said by a type and checked by it when read; the document is made from the
same types, so it cannot say something else. Errors are problem documents everywhere.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NO_WORDS: Mapping[tuple[type, str], Iterable[str]] = MappingProxyType({})
MOST_A_PAGE = 200
LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST_A_PAGE}
SIGN_IN = (
    "`POST /api/session` with `username` and `password` gives it; `DELETE /api/session` ends it"
)
_PLACE = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{name}"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why not (RFC 9457): ``code`` is stable and never renamed, ``params`` say what it is about."""

    type: str
    title: str
    status: int
    code: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked over HTTP."""

    method: str
    path: str
    name: str
    says: str
    """What it does, in a line."""
    handler: Handler
    takes: Any = None
    """The JSON body's type; None: no body, or a file (``takes_file``)."""
    takes_file: bool = False
    gives: Any = None
    """The JSON answer's type; None: something else, said by ``gives_media``."""
    gives_media: str = ""
    status: int = 200
    or_status: int | None = None
    """Another status of the same answer."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def route(self) -> web.RouteDef:
        return web.route(self.method, self.path, self.handler)


def openapi(
    operations: Sequence[Operation],
    *,
    title: str,
    version: str,
    words: Mapping[tuple[type, str], Iterable[str]] = NO_WORDS,
) -> dict[str, object]:
    """The document, from the operations and their types.

    ``words``: of a type's field, which is declared as text, what may stand there.
    """
    types = [each for op in operations for each in (op.takes, op.gives) if each is not None]
    schemas, components = msgspec.json.schema_components(
        [*types, Problem], schema_hook=_anything, ref_template=_REF
    )
    for (type_, name), known in words.items():
        components[type_.__name__]["properties"][name]["description"] = (
            f"one of: {', '.join(known)}"
        )
    schema_of = dict(zip(map(id, [*types, Problem]), schemas, strict=True))
    problem = {"description": "why not", "content": _json(schema_of[id(Problem)], problem=True)}
    paths: dict[str, dict[str, object]] = {}
    for op in operations:
        paths.setdefault(op.path, {})[op.method.lower()] = _described(op, schema_of, problem)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "hotline_session",
                    "description": SIGN_IN,
                }
            },
        },
        "security": [{"session": []}],
    }


def _described(
    op: Operation, schema_of: Mapping[int, dict[str, Any]], problem: object
) -> dict[str, object]:
    parameters = [_parameter(name, "path", "", required=True) for name in _PLACE.findall(op.path)]
    parameters += [_parameter(name, "query", says) for name, says in op.query.items()]
    parameters += [_parameter(name, "header", says) for name, says in op.headers.items()]
    said: dict[str, object] = {
        "operationId": op.name,
        "summary": op.says,
        "parameters": parameters,
        "responses": {**_answers(op, schema_of), "default": problem},
    }
    if op.takes is not None:
        said["requestBody"] = {"required": True, "content": _json(schema_of[id(op.takes)])}
    elif op.takes_file:
        said["requestBody"] = {"required": True, "content": {"*/*": {}}}
    return said


def _answers(op: Operation, schema_of: Mapping[int, dict[str, Any]]) -> dict[str, object]:
    answer: dict[str, object] = {"description": op.says}
    if op.gives is not None:
        answer["content"] = _json(schema_of[id(op.gives)])
    elif op.gives_media:
        answer["content"] = {op.gives_media: {}}
    return {str(status): answer for status in (op.status, op.or_status) if status is not None}


def _anything(type_: type) -> dict[str, object]:
    """A ledger's body holds whatever its move said."""
    if type_ is object:
        return {"description": "any JSON"}
    raise NotImplementedError(type_)


def _parameter(name: str, where: str, says: str, *, required: bool = False) -> dict[str, object]:
    schema = LIMIT if (where, name) == ("query", "limit") else {"type": "string"}
    said: dict[str, object] = {"name": name, "in": where, "schema": schema}
    return {**said, "required": required, **({"description": says} if says else {})}


def _json(schema: object, *, problem: bool = False) -> dict[str, object]:
    return {"application/problem+json" if problem else "application/json": {"schema": schema}}
