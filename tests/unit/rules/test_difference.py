"""Two packs compared: complete, the same both ways round, nothing between a pack and itself."""

import itertools

import pytest

from rules.difference import Aspect, differences
from rules.library import load_packs
from rules.pack import Pack

PACKS = load_packs()
PAIRS = list(itertools.combinations(PACKS.values(), 2))


@pytest.mark.parametrize(("left", "right"), PAIRS, ids=lambda pack: pack.id)
def test_difference_is_the_same_both_ways_round(left: Pack, right: Pack) -> None:
    mirrored = [(d.rule, d.aspects, d.right, d.left) for d in differences(right, left)]
    assert [(d.rule, d.aspects, d.left, d.right) for d in differences(left, right)] == mirrored


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_pack_does_not_differ_from_itself(pack: Pack) -> None:
    assert differences(pack, pack) == []


def test_final_law_of_jinan_lost_what_its_draft_had() -> None:
    found = {d.rule: d for d in differences(PACKS["jinan_draft_2018"], PACKS["jinan_2018"])}
    assert Aspect.FORCE in found["reply.extension"].aspects
    assert Aspect.FORCE in found["end.final"].aspects
    assert Aspect.VALUE in found["clock.base"].aspects, "the draft names the start"
    assert found["clock.base"].left[0].place == "办理期限"
