"""Summaries, readings and scripts are our own words: no sentence of a law stands in a pack."""

import re
from pathlib import Path

import pytest

from rules.library import load_packs
from rules.pack import Pack

PACKS = load_packs()
TEXTS = {
    "jinan_2018": "000_*.txt",
    "taian_draft": "001_*.txt",
    "jinan_draft_2018": "002_*.txt",
    "hangzhou_2024": "003_*.txt",
    "tongliao_2024": "004_*.txt",
}
LONGEST_RUN = 20
"""Signs: the five kinds of secrets named one after the other are as long as that."""


def _bare(text: str) -> str:
    return re.sub(r"\W", "", text)


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_no_sentence_of_the_law_is_copied(pack: Pack, shared_folder: Path) -> None:
    law = _bare(next((shared_folder / "seeds").glob(TEXTS[pack.id])).read_text("utf-8"))
    runs = {law[at : at + LONGEST_RUN + 1] for at in range(len(law) - LONGEST_RUN)}
    for entries in pack.entries.values():
        for entry in entries:
            for text in map(_bare, (entry.summary, entry.reading, entry.reason, entry.script)):
                ours = {text[at : at + LONGEST_RUN + 1] for at in range(len(text) - LONGEST_RUN)}
                assert not ours & runs, entry.rule
