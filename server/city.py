"""The city that this installation serves: its rules, its calendar, its work orders."""

from collections.abc import Sequence

from base.database import Database
from base.errors import SetupError
from rules.library import PackUnknownError, load_pack
from rules.pack import Pack
from rules.pack_file import PackInvalidError
from server.calendars import current_calendar
from server.settings import Settings
from tickets.beginning import Beginning
from tickets.packs import Packs
from tickets.public_moves import Subscriber
from tickets.work_orders import WorkOrders


def city_pack(settings: Settings) -> Pack:
    """The rules for new tickets; a pack that is missing or wrong is a fault of the settings."""
    try:
        return load_pack(settings.pack, folders=(settings.home / "packs",))
    except PackUnknownError as error:
        raise SetupError(
            f"no pack is called {settings.pack}",
            fix="set HOTLINE_PACK to one of ./hotline packs list",
        ) from error
    except PackInvalidError as error:
        raise SetupError(str(error), fix="./hotline packs check") from error


def city_packs(settings: Settings) -> Packs:
    """That pack for new tickets, and what old ones began under."""
    pack = city_pack(settings)
    return Packs(lambda: pack)


def city_beginning(settings: Settings) -> Beginning:
    """What new tickets begin under: that pack, and the installation's calendar."""
    calendar = current_calendar(settings.home)
    return Beginning(packs=city_packs(settings), calendar=lambda: calendar)


def work_orders(
    settings: Settings, database: Database, subscribers: Sequence[Subscriber] = ()
) -> WorkOrders:
    """The tickets of the city, on a pool of the web role."""
    begin = city_beginning(settings)
    return WorkOrders(database, begin.packs, begin.calendar, subscribers)
