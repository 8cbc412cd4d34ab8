"""OpenAPI 3.1 of the operations: made from their declarations and types, never written by hand."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final

import msgspec

from base.errors import HotlineError
from server.http.operations import CODE, WHOLE_NUMBERS, Asker, Operation

NO_WORDS: Final[Mapping[tuple[type, str], Iterable[str]]] = MappingProxyType({})
MOST_A_PAGE: Final = 200
SIGN_IN: Final = (
    "`POST /api/session` with `username` and `password` gives it; `DELETE /api/session` ends it"
)
CODE_IS: Final = "the six digits that the caller was told with the number"
_SCHEMAS: Final = {
    ("query", "limit"): {"type": "integer", "minimum": 1, "maximum": MOST_A_PAGE},
    **{
        ("path", name): {"type": "integer", "minimum": 0, "maximum": 10**17 - 1}
        for name in sorted(WHOLE_NUMBERS)
    },
}
_TEXT: Final = {"type": "string"}
_REF: Final = "#/components/schemas/{name}"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why not (RFC 9457): ``code`` is stable and never renamed, ``params`` say what it is about."""

    type: str
    title: str
    status: int
    code: str
    params: dict[str, Any]


def openapi(
    operations: Sequence[Operation],
    *,
    title: str,
    version: str,
    words: Mapping[tuple[type, str], Iterable[str]] = NO_WORDS,
) -> dict[str, object]:
    """The document.

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
    paths: dict[str, dict[str, object]] = {}
    for op in operations:
        paths.setdefault(op.path, {})[op.method.lower()] = _described(op, schema_of)
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


def _described(op: Operation, schema_of: Mapping[int, dict[str, Any]]) -> dict[str, object]:
    parameters = [_parameter(name, "path", "", required=True) for name in op.places]
    parameters += [_parameter(name, "query", says) for name, says in op.query.items()]
    parameters += [_parameter(name, "header", says) for name, says in op.headers.items()]
    said: dict[str, object] = {
        "operationId": op.name,
        "summary": op.says,
        "parameters": parameters,
        "responses": {
            **_answers(op, schema_of),
            **_refused(op, schema_of[id(Problem)]),
            "default": {
                "description": "a fault of ours, or none of these",
                "content": _problem(schema_of[id(Problem)]),
            },
        },
    }
    if op.asker is Asker.CODE:
        parameters.append(_parameter(CODE, "header", CODE_IS, required=True))
        said["security"] = []
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


def _refused(op: Operation, problem: dict[str, Any]) -> dict[str, object]:
    """Of each status the codes that it may come with."""
    return {
        str(status): _refused_with(status, list(kinds), problem)
        for status, kinds in groupby(op.refusals(), key=lambda each: each.http_status)
    }


def _refused_with(
    status: int, kinds: Sequence[type[HotlineError]], problem: dict[str, Any]
) -> dict[str, object]:
    told = {"status": {"const": status}, "code": {"enum": [each.code for each in kinds]}}
    says = "\n".join(f"- `{each.code}`: {each.says()}" for each in kinds)
    return {
        "description": f"{HTTPStatus(status).phrase}\n\n{says}",
        "content": _problem({"allOf": [problem, {"properties": told}]}),
    }


def _anything(type_: type) -> dict[str, object]:
    """A ledger's body holds whatever its move said."""
    if type_ is object:
        return {"description": "any JSON"}
    raise NotImplementedError(type_)


def _parameter(name: str, where: str, says: str, *, required: bool = False) -> dict[str, object]:
    said: dict[str, object] = {
        "name": name,
        "in": where,
        "schema": _SCHEMAS.get((where, name), _TEXT),
        "required": required,
    }
    return {**said, "description": says} if says else said


def _json(schema: object) -> dict[str, object]:
    return {"application/json": {"schema": schema}}


def _problem(schema: object) -> dict[str, object]:
    return {"application/problem+json": {"schema": schema}}
