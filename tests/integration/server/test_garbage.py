"""Nonsense on the HTTP and websocket ports: no crash, nothing left, nobody else feels it.

The long form is ``./hotline soak garbage``.
"""

import pytest

import bench.fuzz_http
import bench.fuzz_ws

INPUTS = 400


@pytest.mark.parametrize("seed", [1, 2])
async def test_garbage_on_http_is_refused_and_harms_nobody(seed: int) -> None:
    faults, figures = await bench.fuzz_http.fuzz(INPUTS, seed)
    print(figures)
    assert faults == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_garbage_on_the_websocket_is_refused_and_harms_nobody(seed: int) -> None:
    faults, figures = await bench.fuzz_ws.fuzz(INPUTS, seed)
    print(figures)
    assert faults == []
