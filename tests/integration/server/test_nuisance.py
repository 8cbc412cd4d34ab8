"""Steps and suspensions on a real PostgreSQL: two people, an end, told, kept, and mirrored."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from base.database import Connection, Database, DatabaseUnavailable
from base.ids import CallId, UserId
from routing.admission import Admission
from routing.nuisance import SamePerson, Standing, StepIllegal, StepKind, Wish
from routing.throttle import at_entry
from rules.library import load_pack
from rules.pack import RuleNotGivenError
from rules.values import Misuse
from server.nuisance import NuisanceDesk, ReasonMissing, SuspensionUnknown, case_of
from server.nuisance_entry import NuisanceEntry
from server.redis_client import connect_redis
from server.suspensions import SuspensionBook
from server.throttle import Throttle

NUMBER = "13800000001"
K, REPEATED = StepKind, Misuse.REPEATED_USE
WHY = "一天来电三十次，没有诉求"


class People:
    """An agent and two leaders."""

    def __init__(self, agent: str, leader: str, other: str) -> None:
        self.agent, self.leader, self.other = UserId(agent), UserId(leader), UserId(other)


@pytest.fixture
async def people(owner: Connection) -> People:
    ids = [str(uuid.uuid4()) for _ in range(3)]
    for number, (user, role) in enumerate(zip(ids, ("agent", "leader", "leader"), strict=True)):
        await owner.execute(
            "INSERT INTO users (id, username, display_name, role, agent, password_hash)"
            " VALUES ($1, $2, $3, $4, $5, 'none')",
            user,
            f"person{number}",
            f"人员{number}",
            role,
            "1001" if role == "agent" else None,
        )
    return People(*ids)


@pytest.fixture
def desk(web: Database) -> NuisanceDesk:
    return NuisanceDesk(web, load_pack("hangzhou_2024"))


async def propose(desk: NuisanceDesk, people: People, at: datetime) -> str:
    """The lawful way up to a proposal; gives the suspension's id."""
    first, second = CallId("n-1"), CallId("n-2")
    for kind, call, after in (
        (K.MARK, first, -20),
        (K.WARN, first, -20),
        (K.MARK, second, -5),
        (K.PROPOSE, second, -4),
    ):
        wish = Wish(kind=kind, misuse=REPEATED, call=call, by=people.agent)
        await desk.take(NUMBER, wish, reason=WHY, at=at + timedelta(minutes=after))
    return str((await desk.suspensions())[0]["id"])


@pytest.mark.requirement("R120")
async def test_a_suspension_ends_is_told_to_the_caller_and_can_be_objected_to_and_lifted(
    desk: NuisanceDesk, people: People, web: Database, owner: Connection
) -> None:
    now = datetime.now(UTC)
    suspension = await propose(desk, people, now)
    book = SuspensionBook(web)
    await book.read()
    assert book.of(NUMBER, now) is None  # proposed is not suspended
    await desk.decide(suspension, Wish(kind=K.APPROVE, by=people.leader), reason="属实", at=now)
    await book.read()
    running = book.of(NUMBER, now)
    assert running is not None
    assert running.until == now + timedelta(hours=24)
    said = at_entry(Admission("hotline"), suspended=running, is_often=False, at=now)
    assert said.prompt == "suspended-use-24"
    # By its end, whatever the mirror still holds.
    assert book.of(NUMBER, running.until) is None
    await desk.take(NUMBER, Wish(kind=K.OBJECT), reason="", at=now)
    await desk.decide(suspension, Wish(kind=K.LIFT, by=people.other), reason="异议成立", at=now)
    await book.read()
    assert book.of(NUMBER, now) is None
    told = await owner.fetch("SELECT channel, key, payload FROM outbox ORDER BY id")
    assert [row["payload"]["template"] for row in told] == ["suspension_begun", "suspension_lifted"]
    assert "110" in told[0]["payload"]["params"]["script"]
    kinds = [kept.step.kind for kept in await desk.steps(NUMBER)]
    assert kinds == [K.MARK, K.WARN, K.MARK, K.PROPOSE, K.APPROVE, K.OBJECT, K.LIFT]
    warned = (await desk.steps(NUMBER))[1]
    assert warned.script
    assert warned.article is not None
    assert warned.article["rule"] == "nuisance.warn"


async def test_whoever_proposed_cannot_approve_not_even_by_sql(
    desk: NuisanceDesk, people: People, web: Database
) -> None:
    now = datetime.now(UTC)
    suspension = await propose(desk, people, now)
    with pytest.raises(SamePerson):
        await desk.decide(suspension, Wish(kind=K.APPROVE, by=people.agent), reason="x", at=now)
    with pytest.raises(ReasonMissing):
        await desk.decide(suspension, Wish(kind=K.APPROVE, by=people.leader), reason=" ", at=now)
    with pytest.raises(asyncpg.CheckViolationError):
        await web.execute(
            "UPDATE suspensions SET decided_by = proposed_by, decided_at = now(),"
            " until_at = now() + interval '1 day'"
        )
    for end in ("now() + interval '31 days'", "now() - interval '1 day'", "'infinity'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await web.execute(
                f"UPDATE suspensions SET decided_by = $1, decided_at = now(), until_at = {end}",
                people.leader,
            )


async def test_decided_twice_at_once_one_decision_stands(
    desk: NuisanceDesk, people: People
) -> None:
    now = datetime.now(UTC)
    suspension = await propose(desk, people, now)
    await desk.decide(suspension, Wish(kind=K.REFUSE, by=people.leader), reason="理由", at=now)
    with pytest.raises(StepIllegal):
        await desk.decide(suspension, Wish(kind=K.APPROVE, by=people.other), reason="理由", at=now)
    with pytest.raises(SuspensionUnknown):
        await desk.decide("no uuid", Wish(kind=K.LIFT, by=people.other), reason="理由", at=now)


@pytest.mark.parametrize("city", ["jinan_2018", "jinan_draft_2018", "taian_draft", "tongliao_2024"])
async def test_elsewhere_a_proposal_is_refused_by_the_law_and_nothing_is_written(
    web: Database, people: People, city: str
) -> None:
    desk, now = NuisanceDesk(web, load_pack(city)), datetime.now(UTC)
    with pytest.raises(RuleNotGivenError):
        await propose(desk, people, now)
    assert await desk.suspensions() == []
    assert case_of(await desk.steps(NUMBER), now).standing is Standing.WARNED


async def test_steps_are_never_unwritten(
    desk: NuisanceDesk, people: People, web: Database, owner: Connection
) -> None:
    await propose(desk, people, datetime.now(UTC))
    for role, sql in (
        (web.execute, "DELETE FROM nuisance_steps"),
        (web.execute, "UPDATE nuisance_steps SET reason = ''"),
        (web.execute, "UPDATE suspensions SET reason = ''"),
        (owner.execute, "UPDATE nuisance_steps SET reason = ''"),
        (owner.execute, "TRUNCATE nuisance_steps CASCADE"),
    ):
        await refused(role, sql)


async def refused(execute: Callable[[str], object], sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(sql)  # type: ignore[misc]


async def test_dialplan_is_told_progress_and_whether_an_objection_was_kept(
    desk: NuisanceDesk, people: People, web: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.nuisance_entry.ANSWER_WITHIN_S", 10.0)
    now, book = datetime.now(UTC), SuspensionBook(web)
    throttle = Throttle(connect_redis("redis://127.0.0.1:1/0"), (), "key")
    async with aclosing(NuisanceEntry(web, desk, book, throttle)) as entry:
        assert not await entry.object(NUMBER, "n-3")  # nothing to object to
        suspension = await propose(desk, people, now)
        await desk.decide(suspension, Wish(kind=K.APPROVE, by=people.leader), reason="属实", at=now)
        assert await entry.object(NUMBER, "n-3")
        assert (await desk.steps(NUMBER))[-1].step.kind is K.OBJECT
        assert await entry.progress(NUMBER) == "progress-none"
        assert await entry.progress("") == "progress-none"

        async def never(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr("server.nuisance_entry.ANSWER_WITHIN_S", 0.05)
        monkeypatch.setattr(web, "fetchval", never)
        assert await entry.progress(NUMBER) == "progress-unknown"


async def test_with_postgresql_away_the_last_reading_stands(
    desk: NuisanceDesk, people: People, web: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    suspension = await propose(desk, people, now)
    await desk.decide(suspension, Wish(kind=K.APPROVE, by=people.leader), reason="属实", at=now)
    book = SuspensionBook(web)
    await book.read()

    async def away(*_: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(web, "fetch", away)
    with pytest.raises(DatabaseUnavailable):
        await book.read()
    assert book.of(NUMBER, now) is not None
    assert book.of(NUMBER, now + timedelta(hours=24)) is None
