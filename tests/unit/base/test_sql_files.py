from pathlib import Path

import pytest

from base.sql_files import load_sql


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return folder


def test_statements_are_found_by_name_in_all_files(tmp_path: Path) -> None:
    sql = load_sql(
        written(
            tmp_path,
            a="-- about this file\n\n-- name: one\n-- why\nSELECT 1;\n\n-- name: two\nSELECT 2\n",
            b="-- name: three\nSELECT\n  3;",
        )
    )
    assert sql == {"one": "-- why\nSELECT 1", "two": "SELECT 2", "three": "SELECT\n  3"}


def test_name_given_twice_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'one' is named twice"):
        load_sql(written(tmp_path, a="-- name: one\nSELECT 1", b="-- name: one\nSELECT 2"))


def test_sql_without_a_name_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="before the first"):
        load_sql(written(tmp_path, a="SELECT 1;\n-- name: one\nSELECT 1"))


def test_folder_without_sql_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no SQL"):
        load_sql(tmp_path)
