"""What PostgreSQL holds of the soak's calls, to be compared with SIPp's count."""

from dataclasses import dataclass

from base.database import connect
from server.connections import database_url
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows."""

    calls: int
    answered: int
    not_ended: int
    rings: int
    rings_not_ended: int


async def stored(settings: Settings) -> Stored:
    """Count the rows as they are now."""
    connection = await connect(database_url(settings, "owner"), name="soak")
    try:
        calls = await connection.fetchrow(
            "SELECT count(*) AS calls, count(answered_at) AS answered,"
            " count(*) FILTER (WHERE ended_at IS NULL) AS not_ended FROM hotline.calls"
        )
        rings = await connection.fetchrow(
            "SELECT count(*) AS rings, count(*) FILTER (WHERE ended_at IS NULL) AS not_ended"
            " FROM hotline.rings"
        )
    finally:
        await connection.close()
    assert calls is not None
    assert rings is not None
    return Stored(
        calls=calls["calls"],
        answered=calls["answered"],
        not_ended=calls["not_ended"],
        rings=rings["rings"],
        rings_not_ended=rings["not_ended"],
    )
