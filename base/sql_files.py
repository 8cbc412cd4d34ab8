"""SQL lives in files and is called by name: ``-- name: insert_ticket`` begins a statement.

Owns the reading of such files. A name given twice, or text before the first name, is a mistake
of ours and stops the import.
"""

import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(r"^-- name: *([a-z][a-z0-9_]*) *$", re.MULTILINE)


def load_sql(folder: Path) -> Mapping[str, str]:
    """All statements of the ``*.sql`` files in ``folder``, by name."""
    statements: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        for name, statement in _statements(path.read_text(encoding="utf-8"), path.name):
            if name in statements:
                raise ValueError(f"{path.name}: statement {name!r} is named twice")
            statements[name] = statement
    if not statements:
        raise ValueError(f"no SQL statements in {folder}")
    return statements


def _statements(text: str, where: str) -> list[tuple[str, str]]:
    before, *rest = _NAME.split(text)
    if any(line.strip() and not line.startswith("--") for line in before.splitlines()):
        raise ValueError(f"{where}: SQL before the first '-- name:' line")
    return [
        (name, statement.strip().rstrip(";"))
        for name, statement in zip(rest[::2], rest[1::2], strict=True)
    ]
