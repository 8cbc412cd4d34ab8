"""``hotline units``: a file becomes the tree from an instant on, wholly or not at all."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from base.database import Connection
from base.errors import SetupError
from base.ids import UnitId
from server.commands.units import put_units, read_units
from tickets.unit_store import organisation_at

NOW = datetime(2026, 11, 27, tzinfo=UTC)
WATER = UnitId("city.water")
FILE = """
[[unit]]
id = "city.water"
name = "水务集团"
kind = "utility"
first_responsible = "总经理"
handlers = ["专员"]
duty_phone = "053112345678"
duties = [{ topic = "water", basis = "供水条例" }]

[[unit]]
id = "city.water.east"
parent = "city.water"
name = "东区营业所"

[[shift]]
unit = "city.water"
person = "值班员"
phone = "053112345679"
begins_at = 2026-11-01T00:00:00+08:00
ends_at = 2027-01-01T00:00:00+08:00
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "units.toml"
    file.write_text(text)
    return file


async def test_a_change_begins_when_it_says_and_the_past_stays_as_it_was(
    owner: Connection, tmp_path: Path
) -> None:
    assert await put_units(owner, read_units(written(tmp_path, FILE)), NOW) == 2
    assert await put_units(owner, read_units(written(tmp_path, FILE)), NOW) == 0
    later = NOW + timedelta(days=30)
    renamed = FILE.replace("水务集团", "水务公司")
    assert await put_units(owner, read_units(written(tmp_path, renamed)), later) == 1
    then = await organisation_at(owner, later - timedelta(seconds=1))
    assert then.get(WATER).name == "水务集团"
    assert then.on_duty(WATER, later - timedelta(seconds=1)) is not None
    assert (await organisation_at(owner, later)).get(WATER).name == "水务公司"


async def test_a_tree_with_a_hole_or_a_circle_changes_nothing(
    owner: Connection, tmp_path: Path
) -> None:
    for parent in ("city.gas", "city.water.east"):
        broken = FILE.replace('name = "水务集团"', f'name = "x"\nparent = "{parent}"')
        with pytest.raises(SetupError):
            await put_units(owner, read_units(written(tmp_path, broken)), NOW)
        assert (await organisation_at(owner, NOW)).units() == []


def test_a_file_that_is_not_right_says_where(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="level"):
        read_units(written(tmp_path, FILE.replace('kind = "utility"', 'level = "moon"')))
