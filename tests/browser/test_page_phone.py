"""The agent's page as a telephone: real Chromium, real Asterisk, scripted people; the product dead.

Only the web role's line is there, as ``PhoneRoutes`` carries it, beside the scripted desk.
"""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Locator, Page, expect

from base.ids import AgentId, UserId
from server.auth import NotSignedIn, Role, User
from server.http.identity import Identity
from server.http.phone_routes import PhoneRoutes
from server.push.protocol import AgentStateChanged, PopShown
from telephony import process
from telephony.phone import CallState, Phone, PhoneError
from telephony.phone.sound import Samples
from telephony.tree import ensure_tree
from tests.asterisk.conftest import TOOLS
from tests.asterisk.people import CITIZEN_HZ, LINE_HZ, People, voice
from tests.asterisk.switch import Switch, start_switch, until, until_heard
from tests.browser.agent import Desk
from tests.browser.chromium import FAKE_MICROPHONE, needed_chromium, new_page, open_browser
from tests.fakes import desk_samples as samples
from tests.fakes.desk_backend import COOKIE, DeskBackend

KEEP_CONNECTIONS = """
const Real = window.RTCPeerConnection
window.connections = []
window.RTCPeerConnection = class extends Real {
  constructor(...given) { super(...given); window.connections.push(this) }
}
"""
HEARD_ENERGY = """async () => {
  let energy = 0
  for (const connection of window.connections)
    for (const each of (await connection.getStats()).values())
      if (each.type === 'inbound-rtp') energy += each.totalAudioEnergy
  return energy
}"""


class Cookies(Identity):
    """Who the scripted desk's cookie says."""

    def __init__(self) -> None:
        pass

    async def agent(self, request: web.Request) -> tuple[User, AgentId]:
        if COOKIE not in request.cookies:
            raise NotSignedIn
        agent = AgentId("1001")
        user = User(
            id=UserId("u1"), username="agent1001", display_name="", role=Role.AGENT, agent=agent
        )
        return user, agent


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Switch]:
    with tempfile.TemporaryDirectory(prefix="hotline-page-") as home:
        tree = ensure_tree(TOOLS / "asterisk")
        switch = start_switch(tree, Path(home), page_phones=("1001",))
        yield switch
        process.stop(switch.config)


@pytest.fixture
async def people(asterisk: Switch) -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        yield People(asterisk, stack)
    await until(lambda: not asterisk.channels(), timeout_s=10, why="channels are left")


@pytest.fixture
async def phones(asterisk: Switch) -> AsyncIterator[PhoneRoutes]:
    routes = PhoneRoutes(
        Cookies(),
        secrets={AgentId("1001"): asterisk.agent_secret("1001")},
        asterisk_url=f"http://127.0.0.1:{asterisk.config.http_port}/ws",
    )
    yield routes
    await routes.close()


@pytest.fixture
async def backend(phones: PhoneRoutes) -> AsyncIterator[DeskBackend]:
    async with DeskBackend(phones=phones) as running:
        yield running


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with open_browser(needed_chromium(), *FAKE_MICROPHONE) as browser:
        page = await new_page(browser)
        await page.add_init_script(KEEP_CONNECTIONS)
        yield page


class PagePhone:
    """What stands on the page of its telephone."""

    def __init__(self, desk: Desk) -> None:
        self._page = desk.page
        self.line: Locator = desk.page.get_by_test_id("phone-line")
        self.call: Locator = desk.page.get_by_test_id("phone-call")

    async def until_lost(self) -> None:
        """Looked at in every frame: a lost line is made anew after a second."""
        await self._page.wait_for_function(
            "() => document.querySelector('[data-testid=phone-line]').innerText.endsWith('断线')"
        )

    async def answer(self) -> None:
        await expect(self.call).to_contain_text("来电振铃")
        await self._page.get_by_test_id("phone-answer").click()
        await expect(self.call).to_contain_text("通话中")

    async def press(self, keys: str) -> None:
        await self._page.get_by_role("button", name="拨号键").click()
        await self._page.get_by_label("号码或功能码").fill(keys)
        await self._page.keyboard.press("Enter")

    async def heard_energy(self) -> float:
        """Of all that the page has heard so far."""
        energy: float = await self._page.evaluate(HEARD_ENERGY)
        return energy

    async def until_it_hears_more(self) -> None:
        before = await self.heard_energy()
        await self._page.wait_for_function(f"({HEARD_ENERGY})().then(now => now > {before} + 0.01)")


@pytest.fixture
async def phone(desk: Desk) -> PagePhone:
    await desk.open_signed_in()
    on_page = PagePhone(desk)
    # A microphone allowed before needs no press.
    await expect(on_page.line).to_have_text("本页电话：已就绪")
    return on_page


def is_loud(samples: Samples) -> bool:
    """The microphone's beep, and no line noise."""
    return bool(len(samples)) and int(abs(samples).max()) > 3_000


async def test_a_conversation_by_the_page_outlives_its_line_and_brings_in_110(
    phone: PagePhone, phones: PhoneRoutes, people: People, desk: Desk
) -> None:
    exchange = await people.exchange()
    citizen = await people.citizen()
    call = await citizen.call("12345", play=voice(CITIZEN_HZ))
    await phone.answer()
    await phone.until_it_hears_more()
    answered = len(call.heard_pcm)
    await until(lambda: is_loud(call.heard_pcm[answered:]), why="the citizen hears the agent")
    # The web role is started anew: the line goes and comes back; the two talk on, keys are heard.
    await phones.close()
    await phone.until_lost()
    await phone.press("*110")
    line = await exchange.until_ringing(8)
    assert line.number == "13800000001"
    await line.answer()
    line.play(voice(LINE_HZ))
    await until_heard(call, LINE_HZ)
    await phone.until_it_hears_more()
    await expect(phone.line).to_have_text("本页电话：已就绪")
    # Hung up by the others, over the new line.
    await call.hangup()
    await line.hangup()
    await expect(phone.call).to_have_count(0)
    call = await citizen.call("12345")
    await phone.answer()
    await desk.page.get_by_role("button", name="静音", exact=True).click()
    await expect(desk.page.get_by_role("button", name="取消静音")).to_be_visible()
    await desk.press("Alt+K")
    await call.until_ended(5)


async def test_a_ring_that_the_page_lets_pass_goes_to_the_next_agent(
    phone: PagePhone, people: People, asterisk: Switch, desk: Desk
) -> None:
    # A desk that was out of touch makes the phone's line anew too: a dead one looks alive.
    await desk.backend.cut()
    await phone.until_lost()
    await expect(phone.line).to_have_text("本页电话：已就绪")
    citizen = await people.citizen()
    call = await citizen.call("12345")
    await expect(phone.call).to_contain_text("来电振铃")
    colleague = await people.agent("1002")
    ringing = await colleague.until_ringing(10)
    await expect(phone.call).to_have_count(0)
    await ringing.answer()
    await ringing.until(CallState.UP, timeout_s=5)
    await call.hangup()
    asterisk.cli("queue unpause member PJSIP/1001")
    # Without a page there is no phone: nothing rings where nobody can answer.
    await desk.page.close()
    await until(lambda: "1001/" not in asterisk.cli("pjsip show contacts"), why="page is forgotten")


async def test_a_page_without_a_microphone_says_so_and_the_desk_goes_on(
    backend: DeskBackend,
) -> None:
    async with open_browser(needed_chromium()) as browser:
        desk = Desk(await new_page(browser), backend)
        await desk.open_signed_in()
        phone = PagePhone(desk)
        await expect(phone.line).to_have_text("本页电话：未启用")
        await desk.page.get_by_role("button", name="用本页接电话").click()
        await expect(phone.line).to_have_text("本页电话：没有麦克风")
        await expect(desk.page.get_by_role("button", name="在本页重新启用")).to_be_visible()
        await backend.happen(AgentStateChanged(me=samples.me("ringing")))
        await backend.happen(PopShown(pop=samples.pop()))
        await expect(desk.pop).to_be_visible()
        assert desk.faults == []


async def test_a_pages_password_is_of_no_use_but_through_the_web_role(asterisk: Switch) -> None:
    secret = asterisk.agent_secret("1001")
    for address, is_let_in in (("127.0.0.1", True), ("127.0.0.6", False)):
        async with Phone((address, 0), asterisk.server, "1001", password=secret) as phone:
            with nullcontext() if is_let_in else pytest.raises(PhoneError, match="refused"):
                await phone.register()
