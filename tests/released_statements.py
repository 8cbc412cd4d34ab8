"""Writes down the statements of the code as it is: what old processes will say to a newer schema.

``python -m tests.released_statements`` at each release, before the first migration after it. The
folder ``tests/data/statements/NNNN`` is named after the newest migration that the code knows; the
test of rolling updates tries them on the newest schema (``tests/integration/base``).
"""

from collections.abc import Iterator
from pathlib import Path

from base.migrate import read_migrations
from base.sql_files import load_sql

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "tests" / "data" / "statements"
ROOMS = ("base", "insight", "routing", "server", "tickets", "transcription")


def statements(root: Path) -> Iterator[tuple[str, str]]:
    """All named statements of a tree, their folders in their names."""
    folders = {
        path.parent
        for room in ROOMS
        for path in (root / room).rglob("*.sql")
        if path.parent.name != "migrations"
    }
    for folder in sorted(folders):
        where = "_".join(part for part in folder.relative_to(root).parts if part != "sql")
        for name, sql in load_sql(folder).items():
            yield f"{where}__{name}", sql


def write_down(root: Path, folder: Path) -> Path:
    """The file of the tree's statements."""
    newest = read_migrations(root / "base" / "migrations")[-1].number
    path = folder / f"{newest:04}" / "statements.sql"
    path.parent.mkdir(exist_ok=True)
    parts = [f"-- name: {name}\n{sql};\n" for name, sql in statements(root)]
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


if __name__ == "__main__":
    print(write_down(ROOT, RELEASED))
