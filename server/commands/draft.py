"""``hotline draft``: show what the rules make of a text, for people who judge or mend the rules.

Reads text from ``--text`` or standard input; touches no database and no network.
"""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from base.errors import SetupError
from transcription.draft import extract
from transcription.draft_ticket import Draft, DraftField, FieldName, Speaker, Utterance

_SPEAKERS = {
    "市民：": Speaker.CITIZEN,
    "市民:": Speaker.CITIZEN,
    "citizen:": Speaker.CITIZEN,
    "坐席：": Speaker.AGENT,
    "坐席:": Speaker.AGENT,
    "agent:": Speaker.AGENT,
}
_MAX_TEXT = 20_000


def add_parser(subparsers: Any) -> None:
    """Add ``draft`` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "draft",
        help="show the draft ticket that the rules make of a text",
        description=(
            "Show the draft ticket that the rules make of a text. A line that begins with "
            "'市民：' or '坐席：' (citizen:, agent:) is one utterance of that speaker; "
            "a text without such lines is the citizen's."
        ),
    )
    parser.add_argument("--text", help="the text; '-' reads standard input")
    parser.add_argument("source", nargs="?", choices=["-"], help="'-' reads standard input")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--caller", default="", metavar="NUMBER", help="the number that the call comes from"
    )
    parser.add_argument(
        "--home", metavar="CODE", help="region code of the hotline's city, e.g. 1101 or 2201"
    )
    parser.set_defaults(run=run)


def read_text(args: argparse.Namespace, read_stdin: Callable[[], str] = sys.stdin.read) -> str:
    """The text to work on, refused when there is none or far too much."""
    given: str | None = "-" if args.source == "-" else args.text
    if given is None:
        raise SetupError("no text given", fix='hotline draft --text "…", or: … | hotline draft -')
    text = read_stdin() if given == "-" else given
    if len(text) > _MAX_TEXT:
        raise SetupError(f"the text has over {_MAX_TEXT} characters", fix="give one call at a time")
    return text


def utterances_of(text: str) -> list[Utterance]:
    """Lines with a speaker's name become utterances; anything else is one of the citizen's."""
    turns: list[tuple[Speaker, str]] = []
    for line in text.splitlines():
        prefix = next((p for p in _SPEAKERS if line.lstrip().startswith(p)), None)
        if prefix is not None:
            turns.append((_SPEAKERS[prefix], line.lstrip().removeprefix(prefix).strip()))
        elif turns and line.strip():
            turns.append((turns[-1][0], line.strip()))
    if not turns:
        turns = [(Speaker.CITIZEN, text.strip())] if text.strip() else []
    counts = dict.fromkeys(Speaker, 0)
    found = []
    for position, (speaker, words) in enumerate(turns):
        found.append(Utterance(speaker, counts[speaker], words, position, position + 1))
        counts[speaker] += 1
    return found


def as_json(draft: Draft) -> dict[str, Any]:
    """A draft as plain JSON values; fields not understood are null."""
    return {name.value: _field_json(draft.fields.get(name)) for name in FieldName}


def _field_json(field: DraftField | None) -> dict[str, Any] | None:
    if field is None:
        return None
    evidence = [
        {
            "speaker": piece.speaker.value,
            "utterance": piece.utterance,
            "start": piece.start,
            "end": piece.end,
            "text": piece.text,
        }
        for piece in field.evidence
    ]
    return {
        "value": field.value,
        "confidence": field.confidence,
        "evidence": evidence,
        "codes": list(field.codes),
    }


def as_table(draft: Draft) -> str:
    """A draft for people's eyes."""
    lines = []
    for name in FieldName:
        field = draft.fields.get(name)
        if field is None:
            lines.append(f"{name.value:<13} -")
            continue
        words = " | ".join(piece.text for piece in field.evidence)
        codes = f"  [{', '.join(field.codes)}]" if field.codes else ""
        lines.append(f"{name.value:<13} {field.value}{codes}")
        lines.append(f"{'':<13}   {field.confidence:.2f} from: {words}")
    return "\n".join(lines)


def run(args: argparse.Namespace, settings: object = None) -> int:
    """Print the draft; always 0 unless the arguments are wrong."""
    draft = extract(
        utterances_of(read_text(args)),
        caller_number=args.caller,
        now=datetime.now(UTC),
        home_region=args.home,
    )
    if args.json:
        print(json.dumps(as_json(draft), ensure_ascii=False, indent=2))
    else:
        print(as_table(draft))
    return 0
