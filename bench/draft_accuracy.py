"""Measures topic and type accuracy of the draft rules on citizens' messages that are not ours.

The messages (a folder named by ``HOTLINE_SHARED``) are not part of the project; the row labels of
``tests/data/type_labels.tsv`` are. Folds 0–2 were read while the tables were written, fold 3 was
not. Run: ``HOTLINE_SHARED=FOLDER python -m bench.draft_accuracy [--json]``.
"""

import argparse
import csv
import json
import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transcription.draft import extract
from transcription.draft_ticket import FieldName, Speaker, Utterance
from transcription.topics import TOPIC_NAMES, find_issue_words, guess_topic

HERE = Path(__file__).resolve().parent.parent
MESSAGES = Path("data") / "text" / "messages_raw_dev.tsv"
TYPE_LABELS = HERE / "tests" / "data" / "type_labels.tsv"
TYPE_SENTENCES = HERE / "tests" / "data" / "type_sentences.tsv"
TYPE_HELD_OUT = HERE / "tests" / "data" / "type_sentences_held_out.tsv"
CODES = {name: topic.value for topic, name in TOPIC_NAMES.items()}
NONE = "none"


def rows(path: Path) -> list[dict[str, str]]:
    """Rows of a tab-separated file without quoting."""
    csv.field_size_limit(10_000_000)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def text_of(row: dict[str, str]) -> str:
    """Title and detail, as one text."""
    return f"{row['title']}\n{row['detail']}".strip()


def topic_of(text: str) -> str:
    """Our topic for a text."""
    guess = guess_topic(find_issue_words(text))
    return guess.topic.value if guess is not None else NONE


def type_of(text: str) -> str:
    """Our type for a text."""
    utterance = Utterance(Speaker.CITIZEN, 0, text, 0.0, 1.0)
    draft = extract([utterance], caller_number="", now=datetime.now(UTC))
    field = draft.fields.get(FieldName.TYPE)
    return field.value if field is not None else NONE


def score(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Accuracy, macro-F1 over the labels that occur, and each label's F1, of (label, guess)."""
    labels = sorted({label for label, _ in pairs})
    count = Counter(pairs)
    per_label = {}
    for label in labels:
        right = count[label, label]
        said = sum(n for (_, guess), n in count.items() if guess == label)
        meant = sum(n for (truth, _), n in count.items() if truth == label)
        per_label[label] = round(2 * right / (said + meant), 4)
    right = sum(n for (label, guess), n in count.items() if label == guess)
    return {
        "rows": len(pairs),
        "accuracy": round(right / max(1, len(pairs)), 4),
        "macro_f1": round(sum(per_label.values()) / max(1, len(labels)), 4),
        "f1": per_label,
    }


def measure(shared: Path) -> dict[str, Any]:
    """All figures."""
    messages = rows(shared / MESSAGES)
    by_row = {row["row"]: row for row in messages}
    held_out = [row for row in messages if row["fold"] == "3"]
    read = [row for row in messages if row["fold"] != "3"]
    labels = rows(TYPE_LABELS)
    typed = [(label["type"], type_of(text_of(by_row[label["row"]]))) for label in labels]
    return {
        "topic_fold_3": score([(CODES[r["label"]], topic_of(text_of(r))) for r in held_out]),
        "topic_fold_3_titles_only": score(
            [(CODES[r["label"]], topic_of(r["title"])) for r in held_out if r["title"]]
        ),
        "topic_folds_0_to_2": score([(CODES[r["label"]], topic_of(text_of(r))) for r in read]),
        "type_messages_looked_at": score(typed[::2]),
        "type_messages_not_looked_at": score(typed[1::2]),
        **measure_own(),
    }


def measure_own() -> dict[str, Any]:
    """The figures on our own sentences, which need no shared data."""
    return {
        "type_own_sentences": score(
            [(r["type"], type_of(r["text"])) for r in rows(TYPE_SENTENCES)]
        ),
        "type_own_held_out": score([(r["type"], type_of(r["text"])) for r in rows(TYPE_HELD_OUT)]),
    }


def main() -> int:
    """Print the figures; 2 when the messages are not there."""
    parser = argparse.ArgumentParser(description="Measure the draft rules.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    shared = Path(os.environ.get("HOTLINE_SHARED", ""))
    if not (shared / MESSAGES).is_file():
        print(
            f"FAIL no messages to measure on ({MESSAGES} missing)\n"
            "fix: set HOTLINE_SHARED to the folder that holds data/text/messages_raw_dev.tsv",
            file=sys.stderr,
        )
        return 2
    began = time.perf_counter()
    figures = measure(shared)
    figures["seconds"] = round(time.perf_counter() - began, 2)
    if args.json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
        return 0
    for name, result in figures.items():
        if isinstance(result, dict):
            print(
                f"{name:<28} rows {result['rows']:>5}  accuracy {result['accuracy']:.3f}  "
                f"macro-F1 {result['macro_f1']:.3f}"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
