"""The short form of ``soak garbage``: nonsense on the ports that Asterisk speaks to."""

import pytest

from bench.garbage_ami import garbage_on_ami
from bench.garbage_audio import garbage_on_audio

SEEDS = (1, 2)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_manager_that_talks_nonsense_harms_nobody(seed: int) -> None:
    faults, figures = await garbage_on_ami(3_000, seed)
    assert faults == [], figures


@pytest.mark.parametrize("seed", SEEDS)
async def test_nonsense_on_the_audio_port_harms_no_other_leg(seed: int) -> None:
    faults, figures = await garbage_on_audio(1_500, seed)
    assert faults == [], figures
    assert figures["legs_named"]
