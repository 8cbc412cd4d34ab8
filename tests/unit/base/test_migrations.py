from pathlib import Path

import pytest

from base.errors import SetupError
from base.migrate import Phase, read_migrations


def named(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("SELECT 1")
    return folder


def test_the_products_own_list_is_in_order() -> None:
    assert read_migrations()[0].number == 1
    assert read_migrations()[0].phase is Phase.PRE


@pytest.mark.parametrize(
    "names",
    [
        ("0001_pre_a.sql", "0003_pre_b.sql"),
        ("0001_pre_a.sql", "0001_post_b.sql"),
        ("0002_pre_a.sql",),
    ],
)
def test_hole_or_double_in_the_numbers_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(SetupError, match="without a hole"):
        read_migrations(named(tmp_path, *names))


@pytest.mark.parametrize("name", ["1_pre_a.sql", "0001_a.sql", "0001_mid_a.sql", "0001_pre_A.sql"])
def test_file_with_another_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SetupError, match="not named"):
        read_migrations(named(tmp_path, name))
