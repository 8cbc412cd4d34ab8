"""A whole run's two lanes: what shares an Asterisk, a browser or the product stays together."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from server.commands.test import LANES
from tests.lanes import LANE_VARIABLE

REPOSITORY = Path(__file__).parents[2]
CONFTEST = f"""
import pytest
from importlib.util import module_from_spec, spec_from_file_location

spec = spec_from_file_location("lanes", "{REPOSITORY / "tests" / "lanes.py"}")
lanes = module_from_spec(spec)
spec.loader.exec_module(lanes)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return lanes.Lanes(config, log)
"""
TEST = f"""
import os
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", range(5))
def test_where(number):
    time.sleep(0.05)
    with (Path(__file__).parents[2] / "ran.txt").open("a") as ran:
        ran.write(f"{{Path(__file__).stem}} {{os.environ['{LANE_VARIABLE}']}}\\n")
"""


def test_a_group_is_never_split_between_the_lanes(tmp_path: Path) -> None:
    files = {"system": ("test_a", "test_b"), "unit": ("test_c", "test_d", "test_e")}
    for folder, names in files.items():
        (tmp_path / "tests" / folder).mkdir(parents=True)
        for name in names:
            (tmp_path / "tests" / folder / f"{name}.py").write_text(TEST)
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    environment = {k: value for k, value in os.environ.items() if not k.startswith("PYTEST_")}
    command = [sys.executable, "-P", "-m", "pytest", *LANES, "-q", "tests"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout
    lanes: dict[str, set[str]] = defaultdict(set)
    for line in (tmp_path / "ran.txt").read_text().splitlines():
        name, lane = line.split()
        lanes["system" if name in files["system"] else name].add(lane)
    assert {name: len(used) for name, used in lanes.items()} == dict.fromkeys(lanes, 1)
    assert len(lanes) == 4
    assert set.union(*lanes.values()) == {"gw0", "gw1"}
