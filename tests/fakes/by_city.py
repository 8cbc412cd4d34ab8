"""One test for several cities, each marked with the row that it shows there."""

import pytest

CARDS = "R124"
"""Each decision shows its rule: of every city."""


def by_city(row: str, *cities: str, others: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Parametrize ``city``; each run counts for ``row`` in that city.

    ``others`` are cities whose rules do not ask the row and give something all the same: what the
    test shows there are the rules that decided.
    """
    return pytest.mark.parametrize(
        "city",
        [
            *(
                pytest.param(city, marks=pytest.mark.requirement(row, city=city), id=city)
                for city in cities
            ),
            *(pytest.param(city, marks=pytest.mark.requirement(CARDS), id=city) for city in others),
        ],
    )
