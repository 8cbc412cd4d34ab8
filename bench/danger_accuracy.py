"""Measures the danger rules: precision and recall on our own sentences, false alarms on letters.

A sentence is right when exactly the kinds of its label are found (``none``: none; ``a+b``: both).
The held-out sentences were written before the rules and not looked at while the rules were
made. The letters (a folder named by ``HOTLINE_SHARED``) tell of troubles, hardly ever
of danger at that moment: what is found in them is counted as alarm, right or wrong.
Run: ``[HOTLINE_SHARED=FOLDER] python -m bench.danger_accuracy [--json] [--errors]``.
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.draft_accuracy import MESSAGES, rows, text_of
from transcription.danger import find_danger
from transcription.draft_ticket import Speaker, Utterance

HERE = Path(__file__).resolve().parent.parent
SENTENCES = HERE / "tests" / "data" / "danger_sentences.tsv"
HELD_OUT = HERE / "tests" / "data" / "danger_sentences_held_out.tsv"
AGENT = "坐席："


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled talk and what the rules made of it."""

    text: str
    expected: frozenset[str]
    found: frozenset[str]


def utterances_of(text: str) -> list[Utterance]:
    """The talk of one row: utterances parted by ``|``, the agent's begin with 坐席：."""
    counts = dict.fromkeys(Speaker, 0)
    found = []
    for position, line in enumerate(text.split("|")):
        speaker = Speaker.AGENT if line.startswith(AGENT) else Speaker.CITIZEN
        words = line.removeprefix(AGENT)
        found.append(Utterance(speaker, counts[speaker], words, position * 4.0, position * 4.0 + 3))
        counts[speaker] += 1
    return found


def kinds_of(text: str) -> frozenset[str]:
    """The kinds of danger found in one row."""
    return frozenset(danger.kind.value for danger in find_danger(utterances_of(text)))


def cases(path: Path) -> list[Case]:
    """Labelled talks with the rules' answers."""
    return [
        Case(row["text"], frozenset(row["kind"].split("+")) - {"none"}, kinds_of(row["text"]))
        for row in rows(path)
    ]


def score(judged: list[Case]) -> dict[str, Any]:
    """``alarm``: is there danger at all; ``kind``: is it the right one."""
    right = sum(bool(case.expected and case.found) for case in judged)
    alarms, dangers = sum(bool(c.found) for c in judged), sum(bool(c.expected) for c in judged)
    same = sum(len(case.expected & case.found) for case in judged)
    return {
        "rows": len(judged),
        "alarm_precision": round(right / max(1, alarms), 3),
        "alarm_recall": round(right / max(1, dangers), 3),
        "kind_precision": round(same / max(1, sum(len(case.found) for case in judged)), 3),
        "kind_recall": round(same / max(1, sum(len(case.expected) for case in judged)), 3),
    }


def measure(shared: Path | None) -> dict[str, Any]:
    """All figures."""
    figures: dict[str, Any] = {"own": score(cases(SENTENCES)), "held_out": score(cases(HELD_OUT))}
    if shared is not None and (shared / MESSAGES).is_file():
        letters = [text_of(row) for row in rows(shared / MESSAGES)]
        alarms = sum(bool(kinds_of(letter.replace("|", " "))) for letter in letters)
        figures["letters"] = {"rows": len(letters), "alarms": alarms}
    return figures


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Measure the danger rules.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--errors", action="store_true", help="print the tuned sentences missed")
    args = parser.parse_args()
    if args.errors:
        for case in cases(SENTENCES):
            if case.expected != case.found:
                print(case.text, "expected", sorted(case.expected), "found", sorted(case.found))
        return 0
    folder = os.environ.get("HOTLINE_SHARED")
    figures = measure(Path(folder) if folder else None)
    if args.json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
        return 0
    for name, result in figures.items():
        print(name, "  ".join(f"{key} {value}" for key, value in result.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
