"""Finds where it happens: the longest sensible location phrase of a text.

A phrase is a chain of pieces: regions of the gazetteer, names with a place ending (…路, …小区,
…医院), units (三号楼二单元, 八十八号) and positions (旁边, 对面). Word borders are a hint from
rjieba, not the truth: it glues 号 to the next name, so units are cut out first.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import rjieba

from transcription import place_words as words
from transcription.gazetteer import gazetteer, narrow
from transcription.mention import Mention, best_first

_MAX_NAME = 10
_GLUE = frozenset("一二三四五六七八九十里")
"""文|一|西路, 和平|里|小区: word borders cut such names at a number or a 里."""
_NUMERIC = re.compile(r"[0-9一二三四五六七八九十两几半好多每这那某各首前数]")
_DATE_BEFORE = re.compile(r"[月年]$")


class Kind(Enum):
    """What a piece of a location phrase is."""

    REGION = 1
    NAME = 2
    UNIT = 3
    POSITION = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a location phrase."""

    start: int
    end: int
    kind: Kind
    score: float
    codes: tuple[str, ...] = ()
    is_road: bool = False


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    text: str
    tag: str


def _tagged(text: str, start: int, end: int) -> list[_Word]:
    found = []
    for word, tag in rjieba.tag(text[start:end]):
        found.append(_Word(start, start + len(word), word, tag))
        start += len(word)
    return found


def _units(text: str) -> list[Piece]:
    pieces = []
    for match in words.UNIT.finditer(text):
        if match[0].endswith("号") and _DATE_BEFORE.search(
            text[max(0, match.start() - 40) : match.start()]
        ):
            continue
        strong = words.STRONG_UNIT.search(match[0])
        pieces.append(Piece(match.start(), match.end(), Kind.UNIT, 0.4 if strong else 0.1))
    return pieces


def _regions(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    starts = {word.start for word in _tagged(text, 0, len(text))}
    for match in gazetteer().find(text):
        after_region = pieces and pieces[-1].end == match.start
        if match.start not in starts and not after_region:
            continue
        following = text[match.end : match.end + 4]
        has_ending = text[match.start : match.end].endswith((*words.REGIONS, "州", "旗"))
        if not has_ending and re.match(
            (
                r"[东南西北中一二三]?(?:路|街|大道|大街|巷|桥|广场|花园|小区|公园|苑|大厦|商城|湖|"
                r"医院|人)"
            ),
            following,
        ):
            continue
        pieces.append(
            Piece(match.start, match.end, Kind.REGION, 0.45 if has_ending else 0.35, match.codes)
        )
    masked = words.MASKED_REGION.finditer(text)
    return pieces + [Piece(match.start(), match.end(), Kind.REGION, 0.3) for match in masked]


def _is_name_part(word: _Word) -> bool:
    if word.text in words.STOP_WORDS or word.tag in words.STOP_TAGS or word.text.endswith("的"):
        return False
    if word.tag == "m":
        if len(word.text) == 2 and not _NUMERIC.match(word.text):
            return True  # 文一|西路
        return word.text.startswith("第") or word.text in {"五一", "八一", "三八", "七一", "九三"}
    if word.tag == "t" or word.tag == "q":
        return False
    if word.tag.startswith("v") and word.tag != "vn":
        return word.text in words.NAME_VERBS
    return all("一" <= char <= "鿿" or (char.isascii() and char.isalnum()) for char in word.text)


def _name_start(text: str, borders: list[_Word], start: int) -> int:
    """How far left of ``start`` the name of an ending reaches; ``start`` if there is none."""
    inside = next((w for w in borders if w.start < start < w.end), None)
    left = start
    if inside is not None:
        if not _is_name_part(inside):
            return start
        left = inside.start
    taken = 0
    before = [w for w in borders if w.end <= left]
    if len(before) > 1 and before[-1].text in _GLUE and _is_name_part(before[-2]):
        left, taken = before.pop().start, 1
    for word in reversed(before):
        if (
            word.end != left
            or not _is_name_part(word)
            or start - word.start > _MAX_NAME
            or taken == 3
        ):
            break
        left, taken = word.start, taken + 1
    return left


def _names(text: str, start: int, end: int) -> list[Piece]:
    """Names with a place ending inside ``start``..``end``, a stretch free of units and regions."""
    borders = _tagged(text, start, end)
    ends = {w.end for w in borders}
    pieces: list[Piece] = []
    piece: Piece | None
    floor = start
    for match in words.ENDING.finditer(text, start, end):
        ending = match[0]
        if len(ending) == 1 and match.end() not in ends:
            continue
        left = max(floor, _name_start(text, borders, match.start()))
        if left == match.start() and pieces and pieces[-1].end == left:
            # 翠湖|花园, 和平路|小学: the ending before was part of this name.
            piece = _extend(pieces.pop(), match)
        elif left == match.start():
            piece = _bare(text, match, start)
        else:
            piece = Piece(
                left, match.end(), Kind.NAME, words.SCORES[ending], (), ending in words.ROADS
            )
        if piece is not None and not words.NOT_A_PLACE.search(text[piece.start : piece.end]):
            pieces.append(piece)
            floor = match.end()
    return pieces


def _extend(name: Piece, ending: re.Match[str]) -> Piece:
    score = max(name.score, words.SCORES[ending[0]])
    return Piece(name.start, ending.end(), Kind.NAME, score, (), ending[0] in words.ROADS)


def _bare(text: str, match: re.Match[str], floor: int) -> Piece | None:
    """An ending without a name: 我们小区, or 工地 after another piece."""
    prefix = (
        words.LOCAL_PREFIX.search(text, max(0, match.start() - 40), match.start())
        if match[0] in words.LOCAL_ENDING
        else None
    )
    if prefix is not None:
        return Piece(prefix.start(), match.end(), Kind.NAME, 0.3)
    after_piece = match.start() == floor and floor > 0
    if match[0] in words.NAMED_ONLY and not after_piece:
        return None
    return Piece(match.start(), match.end(), Kind.NAME, 0.2, (), match[0] in words.ROADS)


def _free_stretches(length: int, taken: list[Piece]) -> list[tuple[int, int]]:
    borders = [
        0,
        *(b for p in sorted(taken, key=lambda p: p.start) for b in (p.start, p.end)),
        length,
    ]
    return [(a, b) for a, b in zip(borders[::2], borders[1::2], strict=True) if b > a]


def _pieces(text: str) -> list[Piece]:
    buses = [Piece(m.start(), m.end(), Kind.NAME, 0.35) for m in words.BUS.finditer(text)]
    taken = list(buses)
    for piece in [*_regions(text), *_units(text)]:
        if not any(piece.start < t.end and t.start < piece.end for t in taken):
            taken.append(piece)
    found = list(taken)
    for start, end in _free_stretches(len(text), taken):
        found += _names(text, start, end)
    found.sort(key=lambda p: p.start)
    return _with_positions(text, found)


def _with_positions(text: str, pieces: list[Piece]) -> list[Piece]:
    """Add 旁边, 东门 … where one directly follows a piece."""
    result = []
    for index, piece in enumerate(pieces):
        limit = pieces[index + 1].start if index + 1 < len(pieces) else len(text)
        result.append(piece)
        end = piece.end
        while (match := words.POSITION.match(text, end)) and match.end() <= limit:
            result.append(Piece(end, match.end(), Kind.POSITION, 0.1))
            end = match.end()
    return result


def _is_linked(text: str, left: Piece, right: Piece) -> bool:
    gap = text[left.end : right.start]
    if right.start < left.end:
        return False
    if not gap:
        return True
    if right.kind is Kind.POSITION:
        return False
    if left.is_road and right.is_road and words.ROAD_LINK.fullmatch(gap):
        return True
    return len(gap) <= 5 and words.LINK.fullmatch(gap) is not None


def _chains(text: str, pieces: list[Piece]) -> list[list[Piece]]:
    chains: list[list[Piece]] = []
    for piece in pieces:
        if chains and _is_linked(text, chains[-1][-1], piece):
            chains[-1].append(piece)
        else:
            chains.append([piece])
    return chains


def _mention(text: str, chain: list[Piece], home: str | None) -> Mention | None:
    while chain and chain[0].kind is Kind.POSITION:
        chain = chain[1:]
    if not chain:
        return None
    score = max(p.score for p in chain)
    score += 0.06 * sum(1 for p in chain if p.kind is not Kind.REGION) - 0.06
    if chain[0].kind is Kind.REGION and len(chain) > 1:
        score += 0.08
    if words.LEAD.search(text, max(0, chain[0].start - 40), chain[0].start):
        score += 0.12
    if score < 0.25:
        return None
    start, end = chain[0].start, chain[-1].end
    return Mention(start, end, text[start:end], min(0.97, score), _codes(chain, home))


def _codes(chain: list[Piece], home: str | None) -> tuple[str, ...]:
    codes = narrowest([piece.codes for piece in chain])
    return narrow(codes, home) if home else codes


def narrowest(readings: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Codes of the last region named, told apart by the wider ones named before it."""
    codes: tuple[str, ...] = ()
    for reading in readings:
        if reading:
            kept = tuple(c for c in reading if any(c.startswith(wider) for wider in codes))
            codes = kept or reading
    return codes


@lru_cache(maxsize=2048)
def find_places(text: str, home: str | None = None) -> tuple[Mention, ...]:
    """Location phrases, best first. ``home`` is the code of the hotline's own region."""
    mentions = [_mention(text, chain, home) for chain in _chains(text, _pieces(text))]
    return tuple(best_first([m for m in mentions if m is not None]))


def is_region_only(mention: Mention) -> bool:
    """Whether a mention is no more than the names of regions."""
    return all(piece.kind is Kind.REGION for piece in _pieces(mention.value))
