"""China's provinces, cities, districts and streets by name: which codes may a spoken name mean.

Read-only package data (``data/gazetteer.txt``, made by ``bench.build_gazetteer``). Names shared by
several places stay several: 朝阳区 is one in Beijing and one in Changchun, and the gazetteer never
picks one unless it is told the caller's home.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib import resources

_ENDINGS = {"j": "街道", "z": "镇", "x": "乡"}
_CITY_ENDINGS = ("特别行政区", "自治区", "自治州", "地区", "省", "市", "盟")
_PLAIN_REGIONS = {"内蒙古": "15", "广西": "45", "西藏": "54", "宁夏": "64", "新疆": "65"}
_MAX_NAME = 12


@dataclass(frozen=True, slots=True)
class RegionMatch:
    """A region's name found in a text, with every code it may mean."""

    start: int
    end: int
    codes: tuple[str, ...]
    is_street: bool


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Names to codes. A street has its district's code."""

    regions: dict[str, tuple[str, ...]]
    streets: dict[str, tuple[str, ...]]

    def find(self, text: str) -> list[RegionMatch]:
        """Longest names from left to right; matches never overlap."""
        found, position = [], 0
        while position < len(text):
            match = self._longest_at(text, position)
            if match is None:
                position += 1
            else:
                found.append(match)
                position = match.end
        return found

    def _longest_at(self, text: str, start: int) -> RegionMatch | None:
        for end in range(min(len(text), start + _MAX_NAME), start + 1, -1):
            name = text[start:end]
            if name in self.regions:
                return RegionMatch(start, end, self.regions[name], is_street=False)
            if name in self.streets:
                return RegionMatch(start, end, self.streets[name], is_street=True)
        return None


def _short_name(code: str, name: str) -> str | None:
    """How people say a province or city: 北京市 → 北京. Districts keep their ending."""
    if len(code) == 6:
        return None
    for ending in _CITY_ENDINGS:
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return name.removesuffix(ending)
    return None


@cache
def gazetteer() -> Gazetteer:
    """The one gazetteer of this process, read on first use."""
    regions: dict[str, set[str]] = defaultdict(set)
    streets: dict[str, set[str]] = defaultdict(set)
    for plain, code in _PLAIN_REGIONS.items():
        regions[plain].add(code)
    text = resources.files("transcription").joinpath("data/gazetteer.txt").read_text("utf-8")
    for line in text.splitlines():
        code, name, *rest = line.split("\t")
        if len(name) > 1:
            regions[name].add(code)
        if short := _short_name(code, name):
            regions[short].add(code)
        for street in rest[0].split() if rest else ():
            streets[street[:-1] + _ENDINGS.get(street[-1], street[-1])].add(code)
    return Gazetteer(
        {name: tuple(sorted(codes)) for name, codes in regions.items()},
        {name: tuple(sorted(codes)) for name, codes in streets.items()},
    )


def narrow(codes: tuple[str, ...], within: str) -> tuple[str, ...]:
    """Those codes that lie in (or hold) the region ``within``; all of them if none does.

    Codes are prefixes of one another: 22 Jilin, 2201 Changchun, 220104 Chaoyang district.
    """
    kept = tuple(c for c in codes if c.startswith(within) or within.startswith(c))
    return kept or codes
