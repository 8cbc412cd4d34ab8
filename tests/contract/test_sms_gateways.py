"""One suite for whatever carries short messages: the fake in memory, and our CMPP client against a
gateway's simulator over TCP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from server.outside import cmpp
from server.outside.cmpp import Report
from server.outside.cmpp_gateway import CmppGateway
from server.outside.endpoints import SmsSettings
from server.outside.sms_gateway import (
    GatewayAway,
    GatewayRefused,
    GatewayThrottled,
    OutcomeUnknown,
    ReportTooEarly,
    SmsGateway,
)
from tests.fakes.sms_gateways import ACCOUNT, SECRET, CmppSimulator, Commanded, FakeGateway

TO = "13800001234"
LONG = "办理进展：" + "供水管道已修复😀" * 30


@asynccontextmanager
async def over_cmpp(
    simulator: CmppSimulator,
    reports: list[Report] | None = None,
    secret: str = SECRET,
    rests_s: float = 0.0,
    patience_s: float = 5.0,
) -> AsyncIterator[CmppGateway]:
    async def keep(report: Report) -> None:
        if report.state == "EARLY":
            raise ReportTooEarly
        if reports is not None:
            reports.append(report)

    settings = SmsSettings(
        gateway=f"127.0.0.1:{simulator.port}", account=ACCOUNT, number="106512345"
    )
    gateway = CmppGateway(
        settings, secret, keep, answer_s=3.0, rests_s=rests_s, patience_s=patience_s
    )
    try:
        yield gateway
    finally:
        await gateway.close()


Pair = tuple[SmsGateway, Commanded]


@pytest.fixture(params=["fake", "cmpp"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    if request.param == "fake":
        fake = FakeGateway()
        yield fake, fake
        return
    async with CmppSimulator().listening() as simulator, over_cmpp(simulator) as gateway:
        yield gateway, cast(Commanded, simulator)


async def test_a_text_arrives_as_it_is_however_long(pair: Pair) -> None:
    gateway, far = pair
    await gateway.ready()
    texts = ["您好", "字" * 70, "字" * 71, LONG]
    ids = [each for text in texts for each in await gateway.submit(TO, text)]
    assert far.taken == [(TO, text) for text in texts]
    assert len({*ids}) == len(ids) >= len(texts)


async def test_many_at_once_are_each_taken_once(pair: Pair) -> None:
    gateway, far = pair
    await asyncio.gather(*(gateway.submit(TO, f"第{n}条") for n in range(40)))
    assert sorted(far.taken) == sorted((TO, f"第{n}条") for n in range(40))


async def test_what_is_refused_or_throttled_is_said_and_was_not_sent(pair: Pair) -> None:
    gateway, far = pair
    far.results = [cmpp.THROTTLED, 5]
    with pytest.raises(GatewayThrottled):
        await gateway.submit(TO, "一")
    with pytest.raises(GatewayRefused):
        await gateway.submit(TO, "二")
    await gateway.submit(TO, "三")
    assert far.taken == [(TO, "三")]


async def test_taken_without_an_answer_is_unknown_and_never_said_to_be_failed(pair: Pair) -> None:
    gateway, far = pair
    far.answers_nothing = True
    with pytest.raises(OutcomeUnknown):
        await gateway.submit(TO, "一")
    assert far.taken == [(TO, "一")]


async def test_a_gateway_that_is_away_is_said_before_anything_is_sent(pair: Pair) -> None:
    gateway, far = pair
    far.is_away = True
    with pytest.raises(GatewayAway):
        await gateway.ready()
    far.is_away = False
    await gateway.ready()
    await gateway.submit(TO, "一")
    assert far.taken == [(TO, "一")]


# ---- of the link alone ---------------------------------------------------------------------------


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 – the far side's doing
            await asyncio.sleep(0.005)


async def test_a_link_that_broke_is_made_anew_and_what_was_on_it_is_unknown() -> None:
    async with CmppSimulator().listening() as simulator, over_cmpp(simulator) as gateway:
        simulator.answers_nothing = True
        waiting = asyncio.ensure_future(gateway.submit(TO, "一"))
        await until(lambda: simulator.taken == [(TO, "一")])
        simulator.hang_up()
        with pytest.raises(OutcomeUnknown):
            await waiting
        simulator.answers_nothing = False
        await gateway.submit(TO, "二")
        assert simulator.sign_ins == 2


async def test_a_long_text_of_which_a_part_is_out_is_never_said_to_be_unsent() -> None:
    async with CmppSimulator().listening() as simulator, over_cmpp(simulator) as gateway:
        simulator.results = [0, 5]
        with pytest.raises(OutcomeUnknown):
            await gateway.submit(TO, "字" * 100)


async def test_a_part_that_is_throttled_after_others_goes_out_a_little_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.outside.cmpp_gateway.THROTTLED_PAUSE_S", 0.01)
    async with CmppSimulator().listening() as simulator, over_cmpp(simulator) as gateway:
        simulator.results = [0, cmpp.THROTTLED, cmpp.THROTTLED]
        assert len(await gateway.submit(TO, "字" * 100)) == 2
        assert simulator.taken == [(TO, "字" * 100)]
    async with (
        CmppSimulator().listening() as simulator,
        over_cmpp(simulator, patience_s=0.2) as gateway,
    ):
        simulator.results = [0, *[cmpp.THROTTLED] * 1000]
        with pytest.raises(OutcomeUnknown):  # its patience ends
            await gateway.submit(TO, "字" * 100)


async def test_a_gateway_that_cannot_be_reached_is_asked_once_for_a_batch() -> None:
    async with (
        CmppSimulator("other").listening() as simulator,
        over_cmpp(simulator, rests_s=60.0) as gateway,
    ):
        tried = [gateway.submit(TO, f"第{n}条") for n in range(16)]
        failed = await asyncio.gather(*tried, return_exceptions=True)
    assert all(isinstance(each, GatewayAway) for each in failed)
    assert simulator.links == 1


@pytest.mark.parametrize("wrong", ["ours", "theirs"])
async def test_neither_side_takes_the_other_without_the_secret(wrong: str) -> None:
    far, ours = ("other", SECRET) if wrong == "theirs" else (SECRET, "other")
    async with (
        CmppSimulator(far).listening() as simulator,
        over_cmpp(simulator, secret=ours) as gateway,
    ):
        with pytest.raises(GatewayAway):
            await gateway.ready()
        assert simulator.sign_ins == 0


async def test_a_report_is_told_and_acknowledged_once_it_is_kept() -> None:
    reports: list[Report] = []
    async with CmppSimulator().listening() as simulator, over_cmpp(simulator, reports) as gateway:
        (message,) = await gateway.submit(TO, "一")
        simulator.report(message, "EARLY", TO)
        simulator.report(message, "DELIVRD", TO)
        await until(lambda: bool(simulator.acknowledged))
        assert len(simulator.acknowledged) == 1
    assert reports == [Report(message=message, state="DELIVRD")]


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        cmpp.HEADER.pack(2**31, 4, 1),
        cmpp.HEADER.pack(5, 4, 1),
        cmpp.HEADER.pack(12, 0x80000001, 1),
    ],
)
async def test_a_stranger_at_the_gateways_address_is_a_gateway_away(garbage: bytes) -> None:
    async def stranger(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(garbage)
        writer.close()

    server = await asyncio.start_server(stranger, "127.0.0.1", 0)
    simulator = CmppSimulator()
    simulator.port = server.sockets[0].getsockname()[1]
    async with server, over_cmpp(simulator) as gateway:
        with pytest.raises(GatewayAway):
            await gateway.ready()


def test_the_packets_are_those_of_the_specification() -> None:
    """Widths by the specification: 8 1 1 1 1 10 1 21 1 1 1 6 2 6 17 17 21 1 21 1 text 8."""
    (part,) = cmpp.parts_of("好", 0)
    body = cmpp.submit_body(part, TO, account=ACCOUNT, number="106512345", service="HOTLINE")
    assert len(body) == 8 + 4 + 10 + 1 + 21 + 3 + 6 + 2 + 6 + 17 + 17 + 21 + 1 + 21 + 1 + 2 + 8
    assert body[8:12] == b"\x01\x01\x01\x01"
    assert body[46] == cmpp.UCS2
    assert body[47:53] == ACCOUNT.encode()
    assert body[117:128] == TO.encode()
    assert body[-11:-8] == b"\x02" + "好".encode("utf-16-be")
    packet = cmpp.Packet(command=cmpp.Command.ACTIVE_TEST, sequence=3).encoded()
    assert packet == bytes.fromhex("0000000c 00000008 00000003")
