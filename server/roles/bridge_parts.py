"""What the bridge role is made of: the live desk, the wall, and what reads Asterisk's own books."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from redis.asyncio import Redis

from base.database import Database
from base.ids import AgentId
from routing.desks import Desks
from routing.return_call import ReturnRules
from server.apart import apart
from server.city import city_pack
from server.live.agent_view import me_view
from server.live.call_desk import CallDesk
from server.live.centre import Centre, Parts
from server.live.drafting import Extract
from server.live.forks import Forks
from server.live.former_desk import FormerDesks
from server.live.gaps import ReadBooks
from server.live.handovers import ReadHandovers
from server.live.listening import Listening
from server.live.publisher import Publisher
from server.live.records import Records
from server.live.return_calls import ReadMarks, ReturnCaller
from server.live.scribe import Scribe
from server.live.stream_book import StreamBook
from server.live.supervision import Supervision
from server.live.trunk_tests import TrunkTester
from server.live.wall import Wall
from server.live.wall_figures import WallFigures
from server.push.protocol import Links
from server.push.view import empty_view
from server.queue_file import plan_of
from server.records.return_calls import ReturnCalls
from server.records.trunk_tests import TrunkTests
from server.secrets_store import secrets_of
from server.settings import Settings
from server.throttle import Throttle
from telephony.emergency_lines import EMERGENCY_ENDPOINTS
from telephony.handovers import read_handovers
from telephony.marks import read_marks
from telephony.past_calls import read_past_calls
from telephony.switch import Switch


def utc_now() -> datetime:
    """The role's clock."""
    return datetime.now(UTC)


def past_calls_of(settings: Settings) -> ReadBooks:
    """Asterisk's book of calls; a foreign Asterisk's books are not on this machine."""
    if settings.asterisk_address is not None:
        return lambda _since: ()
    return lambda since: apart(read_past_calls, settings.logs_dir / "asterisk", since)


def handovers_of(settings: Settings) -> ReadHandovers:
    """Asterisk's book of handovers."""
    if settings.asterisk_address is not None:
        return lambda _since: ()
    return lambda since: read_handovers(settings.logs_dir / "asterisk", since)


def marks_of(settings: Settings) -> ReadMarks:
    """Asterisk's book of queue marks."""
    if settings.asterisk_address is not None:
        return lambda _since: ()
    return lambda since: read_marks(settings.logs_dir / "asterisk", since)


def build_centre(
    settings: Settings,
    switch: Switch,
    redis: Redis,
    records: Records,
    scribe: Scribe,
    signed_in: Collection[AgentId] = (),
    *,
    extract: Extract,
    now: Callable[[], datetime] | None = None,
) -> Centre:
    """Make every object of the live desk once, in order."""
    now = now or utc_now
    agents = [AgentId(agent) for agent in settings.agents]
    desks = Desks(agents, at=now(), signed_in=signed_in)
    links = Links(telephony="down", speech="down", database="up")
    views = {agent: empty_view(me_view(desks, agent), links) for agent in agents}
    publisher = Publisher(redis, views)
    forks = Forks(switch, redis, host=settings.service_host, port=settings.ports.audio)
    call_desk = CallDesk(
        control=switch.control,
        scribe=scribe,
        pack=city_pack(settings),
        colleagues=frozenset(settings.agents),
        has_outbound=settings.outbound_trunk is not None,
        now=utc_now,
    )
    listening = Listening(
        forks=forks,
        publisher=publisher,
        records=records,
        scribe=scribe,
        book=StreamBook(redis),
        former_desks=FormerDesks(redis),
        extract=extract,
        now=now,
        has_speech=settings.speech.engine != "off",
        consent_rule=call_desk.consent_rule(),
    )
    key = secrets_of(settings).read_or_empty("number_key")
    throttle = Throttle(redis, settings.throttle.rates, key)
    return Centre(
        Parts(
            desks=desks,
            switch=switch,
            call_desk=call_desk,
            forks=forks,
            publisher=publisher,
            listening=listening,
            records=records,
            scribe=scribe,
            supervision=Supervision(desks, switch, scribe, now),
            now=now,
            not_counted=throttle.give_back,
        )
    )


def build_trunk_tester(
    settings: Settings, switch: Switch, database: Database, centre: Centre
) -> TrunkTester:
    """Tests the emergency trunks that are set."""

    def changed(are_well: bool) -> None:
        centre.are_trunks_well = are_well

    return TrunkTester(
        switch,
        TrunkTests(database),
        trunks=EMERGENCY_ENDPOINTS[: 1 + (settings.emergency_trunk_2 is not None)],
        number=settings.emergency_test_number,
        hour=settings.emergency_test_hour,
        now=utc_now,
        changed=changed,
        is_linked=lambda: centre.calls_in_switch() is not None,
    )


def build_return_caller(
    settings: Settings, switch: Switch, database: Database, centre: Centre
) -> ReturnCaller:
    """Calls back who asked for it, within the plan's hours."""
    plan = plan_of(settings)
    return ReturnCaller(
        ReturnCalls(database),
        switch,
        centre,
        marks_of(settings),
        utc_now,
        default_queue=plan.queues[0].name,
        may_dial=settings.outbound_trunk is not None,
        rules=ReturnRules(calling_hours=plan.return_hours),
    )


def build_wall(
    settings: Settings, switch: Switch, publisher: Publisher, figures: WallFigures
) -> Wall:
    """The leaders' wall."""
    agents = [AgentId(agent) for agent in settings.agents]
    titles = {queue.name: queue.title for queue in plan_of(settings).queues}
    return Wall(publisher, switch, figures, agents, titles)
