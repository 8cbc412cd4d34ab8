"""One test for several cities, each marked with the row that it shows there."""

import pytest


def by_city(row: str, *cities: str) -> pytest.MarkDecorator:
    """Parametrize ``city``; each run counts for ``row`` in that city."""
    return pytest.mark.parametrize(
        "city",
        [
            pytest.param(city, marks=pytest.mark.requirement(row, city=city), id=city)
            for city in cities
        ],
    )
