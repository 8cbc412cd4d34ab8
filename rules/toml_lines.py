"""Which line of a TOML text a table or key stands on; ``tomllib`` reads values but tells no lines.

Knows what packs use: tables, arrays of tables, bare and quoted keys, values over several lines.
Never decides what a value is: that is ``tomllib``'s.
"""

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_STRINGS = re.compile(
    r'"""(?:.|\n)*?"""|' + r"'''(?:.|\n)*?'''|" + r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|#[^\n]*"
)


def lines_of(text: str) -> dict[Path, int]:
    """Give the line (from 1) of each table and key; elements of an array of tables are numbered."""
    found: dict[Path, int] = {(): 1}
    elements: dict[Path, int] = {}
    table: Path = ()
    depth = 0
    lines = text.splitlines()
    for number, bare in enumerate(_without_strings(text).splitlines(), start=1):
        if depth == 0:
            line = lines[number - 1]
            if header := _HEADER.match(line):
                table = _parts(header[2])
                if header[1] == "[[":
                    elements[table] = elements.get(table, -1) + 1
                    found.setdefault(table, number)
                    table = (*table, elements[table])
                found.setdefault(table, number)
                continue
            if key := _KEY.match(line):
                found.setdefault((*table, *_parts(key[1])), number)
        depth += sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))
    return found


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Find the line of a path, or of the nearest thing around it that has one."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _without_strings(text: str) -> str:
    """Blank out strings and comments, so that their brackets and signs count for nothing."""
    return _STRINGS.sub(lambda hit: re.sub(r"[^\n]", " ", hit[0]), text)
