"""Contestants take turns, and what falls short is named."""

import argparse
import json

import msgspec
import pytest

from base.errors import SetupError
from bench.harness import (
    BenchResult,
    Figures,
    LoadWatch,
    interleave,
    interleave_async,
    machine,
    medians,
    turns,
)
from server.commands.bench import as_table, run


def result(ratio: Figures, aim: Figures) -> BenchResult:
    return BenchResult(
        name="ami",
        unit="events/s",
        ours={"a": 1.0},
        reference=2.0,
        ratio=ratio,
        aim=aim,
        runs=5,
        machine=machine(),
        load=LoadWatch().done(),
    )


def test_contestants_take_turns_and_each_begins_in_turn() -> None:
    order: list[str] = []

    def contestant(name: str) -> float:
        order.append(name)
        return float(len(order))

    measured = interleave({"a": lambda: contestant("a"), "b": lambda: contestant("b")}, runs=5)
    assert "".join(order) == "ab" + "baabbaabba"
    assert [len(values) for values in measured.values()] == [5, 5]


def test_fewer_than_five_runs_are_made_five() -> None:
    assert len(interleave({"a": lambda: 1.0}, runs=1)["a"]) == 5


async def test_contestants_on_the_loop_take_turns_too() -> None:
    async def one() -> float:
        return 1.0

    measured = await interleave_async({"a": one, "b": one}, runs=6, is_warm=True)
    assert medians(measured) == {"a": 1.0, "b": 1.0}
    assert len(measured["a"]) == 6


def test_order_of_a_round_is_turned() -> None:
    assert turns(["a", "b", "c"], 4) == ["b", "c", "a"]


def test_cases_below_their_aim_are_named() -> None:
    assert result({"x": 2.9, "y": 4.0}, {"x": 3.0, "y": 3.0}).missed == ["x"]
    assert result(0.5, 0.9).missed == [""]
    assert result(1.0, 0.9).missed == []


def test_result_is_one_json_object_with_the_agreed_names() -> None:
    told = json.loads(msgspec.json.encode(result(1.0, 0.9)))
    assert {"name", "ours", "reference", "ratio", "machine", "load"} <= told.keys()
    assert "MISSED" in as_table(result({"x": 1.0}, {"x": 3.0}))


def test_unknown_bench_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SetupError) as refused:
        run(argparse.Namespace(name="nothing", json=True, runs=5))
    assert "ami" in refused.value.fix


def test_a_bench_that_makes_no_data_takes_no_scale() -> None:
    with pytest.raises(SetupError, match="makes no data"):
        run(argparse.Namespace(name="clocks", json=True, runs=5, scale=0.1, data=None))
