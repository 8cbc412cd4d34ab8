"""Builds transcription/data/gazetteer.txt from a folder of Chinese administrative-division CSVs.

Input: provinces.csv, cities.csv, areas.csv, streets.csv as published by
modood/Administrative-divisions-of-China (WTFPL). Output, one line a division:
``code<TAB>name`` for provinces, cities and districts; a district's line has a third column with
its streets and towns, where a trailing ``j``, ``z`` or ``x`` stands for 街道, 镇 or 乡.

    python -m bench.build_gazetteer GEO_FOLDER
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path

OUT = Path(__file__).parent.parent / "transcription" / "data" / "gazetteer.txt"
SHORT = {"街道": "j", "镇": "z", "乡": "x"}
NOT_NAMES = {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"}


def shorten(name: str) -> str:
    """``大宁路街道`` → ``大宁路j``."""
    for ending, letter in SHORT.items():
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending) + letter
    return name


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    """One file's rows."""
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_street_name(name: str) -> bool:
    """Development zones' offices and farms' numbered regiments are never said by callers."""
    return name.endswith(tuple(SHORT)) and len(name) <= 8 and "办事处" not in name


def build(folder: Path) -> list[str]:
    """All lines, in code order."""
    streets: dict[str, list[str]] = defaultdict(list)
    for row in rows(folder, "streets.csv"):
        if is_street_name(row["name"]):
            streets[row["areaCode"]].append(shorten(row["name"]))
    lines = [f"{row['code']}\t{row['name']}" for row in rows(folder, "provinces.csv")]
    lines += [
        f"{row['code']}\t{row['name']}"
        for row in rows(folder, "cities.csv")
        if row["name"] not in NOT_NAMES
    ]
    for row in rows(folder, "areas.csv"):
        lines.append(f"{row['code']}\t{row['name']}\t{' '.join(streets[row['code']])}".rstrip())
    return sorted(lines)


def main() -> int:
    """Write the file; the only argument is the folder of the CSVs."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    OUT.write_text("\n".join(build(Path(sys.argv[1]))) + "\n", encoding="utf-8")
    print(f"{OUT.name}: {OUT.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
