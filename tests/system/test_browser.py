"""An agent's whole call in a real browser on the real product, and what others' browsers show.

Pictures of each state go to ``BROWSER_SHOTS`` where it is set.
"""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from base.database import connect
from server.connections import database_url
from server.processes import running
from server.secrets_store import secrets_of
from telephony.phone import CallState, Phone, ignore
from tests.browser.agent import Screen
from tests.browser.chromium import FAKE_MICROPHONE, needed_chromium, new_page, open_browser
from tests.system.product import Product, until, voice

pytestmark = pytest.mark.timeout(180)

LIVE_MS = 20_000
"""A step that waits for the telephone: greeting, ringing, the recogniser."""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser(needed_chromium(), *FAKE_MICROPHONE) as running:
        yield running


class Seat(Screen):
    """One agent's browser at the product."""

    def __init__(self, screen: Screen, product: Product, agent: str) -> None:
        super().__init__(screen.page, product.url)
        self.product = product
        self.username = f"agent{agent}"

    @property
    def password(self) -> str:
        return secrets_of(self.product.settings).read(f"user-{self.username}")

    async def sit_down(self) -> None:
        """Sign in at the page and be ready, both by keyboard."""
        await self.open()
        await self.page.get_by_label("用户名").press_sequentially(self.username)
        await self.press("Tab")
        await self.page.keyboard.type(self.password)
        await self.press("Enter")
        await self.until_live()

    async def be_ready(self) -> None:
        await expect(self.page.get_by_text("话机未注册")).to_have_count(0, timeout=LIVE_MS)
        if await self.state.inner_text() != "就绪":
            await self.press("Alt+r")
        await expect(self.state).to_have_text("就绪", timeout=LIVE_MS)

    async def picture(self, name: str) -> None:
        folder = os.environ.get("BROWSER_SHOTS")
        if folder:
            path = Path(folder) / f"real_{name}.png"
            await self.page.screenshot(path=path, animations="disabled")


async def seat(browser: Browser, product: Product, agent: str) -> Seat:
    page = await new_page(browser)
    return Seat(Screen(page, product.url), product, agent)


async def test_an_agents_whole_call_in_a_real_browser(browser: Browser, product: Product) -> None:
    async with AsyncExitStack() as stack:
        phones = await stack.enter_async_context(product.phones("1001", "1002"))
        citizen = await stack.enter_async_context(product.citizen("13800138077"))
        seats = {agent: await seat(browser, product, agent) for agent in ("1001", "1002")}
        for agent, each in seats.items():
            phones[agent].on_ring(ignore())
            await each.sit_down()
            await each.be_ready()
        await seats["1001"].picture("1_ready")
        line = await citizen.call("12345")
        await until(
            lambda: any(_rings(phone) for phone in phones.values()),
            what="a ringing phone",
            timeout_s=40,
        )
        mine = next(agent for agent, phone in phones.items() if _rings(phone))
        other = "1002" if mine == "1001" else "1001"
        desk, bystander = seats[mine], seats[other]

        # The card is there while the phone still rings, on one screen only.
        await expect(desk.pop).to_have_count(1)
        await expect(desk.pop).to_contain_text("王小明")
        await expect(desk.page.get_by_test_id("pop-number")).to_have_text("13800138077")
        ringing = await phones[mine].until_ringing(5)
        assert ringing.state is CallState.RINGING
        await expect(bystander.pop).to_have_count(0)
        await expect(bystander.state).to_have_text("就绪")
        await desk.picture("2_pop")

        await ringing.answer()
        await expect(desk.page.get_by_test_id("call")).to_be_visible(timeout=LIVE_MS)
        await expect(desk.pop).to_have_count(0)
        await expect(desk.page.get_by_test_id("speech")).to_have_text("实时转写中", timeout=LIVE_MS)
        line.play(voice(product.settings, "c03"))
        words = desk.page.locator(".line.citizen .words")
        await expect(words.first).to_be_visible(timeout=LIVE_MS)
        await desk.picture("3_first_words")
        await expect(desk.page.locator(".lines")).to_contain_text("人民路", timeout=LIVE_MS)
        await expect(desk.mark("place")).to_contain_text("机器", timeout=LIVE_MS)
        await expect(desk.field("urgency")).to_have_value("urgent", timeout=LIVE_MS)
        await expect(desk.page.locator(".lines mark").first).to_be_visible()
        await desk.picture("4_draft")

        # A correction by keyboard, kept against the machine.
        await desk.field("summary").focus()
        await desk.press("Control+a")
        await desk.page.keyboard.insert_text("人民路电梯困人")
        await desk.press("Tab")
        await expect(desk.mark("summary")).to_have_text("人工")
        await expect(desk.page.get_by_text("有修改正在保存")).to_have_count(0, timeout=LIVE_MS)
        await expect(desk.page.locator(".line.citizen:not(.partial)")).not_to_have_count(
            0, timeout=LIVE_MS
        )
        await desk.picture("5_corrected")

        await line.hangup()
        await expect(desk.state).to_have_text("话后整理", timeout=LIVE_MS)
        await desk.picture("6_wrap_up")
        if await desk.field("type").input_value() == "":
            await desk.field("type").select_option("help")
        if await desk.field("demand").input_value() == "":
            await desk.field("demand").fill("请尽快处理")
        await desk.press("Control+Enter")
        last = desk.page.get_by_test_id("last-ticket")
        await expect(last).to_be_visible(timeout=LIVE_MS)
        await expect(desk.state).to_have_text("就绪")
        number = await last.get_by_role("link").inner_text()
        assert number[8] == "-"
        await desk.picture("7_confirmed")

        # The ticket, with all that led to it, in a window beside the desk.
        await last.get_by_role("link").focus()
        async with desk.page.context.expect_page() as opened:
            await desk.press("Enter")
        page = await opened.value
        await expect(page.get_by_role("heading", name="人民路电梯困人")).to_be_visible()
        await expect(page.get_by_role("row", name="标题")).to_contain_text("人民路电梯困人")
        await expect(page.get_by_role("row", name="登记")).to_have_count(1)
        await expect(page.locator(".line.citizen").first).to_contain_text("人民路")
        if folder := os.environ.get("BROWSER_SHOTS"):
            await page.screenshot(path=Path(folder) / "real_8_ticket.png", full_page=True)

        # The caller's next call shows it, before the phone is answered.
        await bystander.press("Alt+p")
        await bystander.press("1")
        await expect(bystander.state).to_have_text("小休")
        again = await citizen.call("12345")
        await expect(desk.pop).to_contain_text(number, timeout=40_000)
        await expect(desk.pop).to_contain_text("未办结工单")
        await desk.picture("9_pop_again")
        await again.hangup()
        await expect(desk.pop).to_have_count(0, timeout=LIVE_MS)
        for each in seats.values():
            assert each.faults == []


COUNT_CARDS = """() => {
  window.cards = [];
  const look = () => {
    const shown = document.querySelectorAll('[data-testid=pop]').length;
    if (shown !== window.cards.at(-1)) window.cards.push(shown);
  };
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""


async def test_a_bridge_killed_while_the_phone_rings_shows_its_card_once(
    browser: Browser, product: Product
) -> None:
    async with (
        product.phones("1004") as phones,
        product.citizen("13800138078") as citizen,
    ):
        phones["1004"].on_ring(ignore())
        desk = await seat(browser, product, "1004")
        await desk.sit_down()
        await desk.be_ready()
        line = await citizen.call("12345")
        await expect(desk.pop).to_have_count(1, timeout=40_000)
        await desk.page.evaluate(COUNT_CARDS)
        bridge = running(product.settings, "bridge")
        assert bridge is not None
        os.kill(bridge.pid, signal.SIGKILL)
        ringing = await phones["1004"].until_ringing(5)
        await until(
            lambda: running(product.settings, "bridge") not in (None, bridge),
            what="another bridge",
        )
        await ringing.answer()
        await expect(desk.page.get_by_test_id("call")).to_be_visible(timeout=LIVE_MS)
        await expect(desk.pop).to_have_count(0)
        assert await desk.page.evaluate("window.cards") == [1, 0]
        await line.hangup()
        await expect(desk.state).to_have_text("话后整理", timeout=LIVE_MS)
        assert desk.faults == []


def _rings(phone: Phone) -> bool:
    return any(call.state is CallState.RINGING for call in phone.calls)


async def test_a_page_that_is_the_phone_is_rung_like_any_other(
    browser: Browser, product: Product
) -> None:
    desk = await seat(browser, product, "1003")
    await desk.sit_down()
    await expect(desk.page.get_by_test_id("phone-line")).to_contain_text("已就绪", timeout=LIVE_MS)
    await desk.be_ready()
    async with product.citizen("13800138003") as citizen:
        call = await citizen.call("12345")
        await expect(desk.pop).to_be_visible(timeout=LIVE_MS)
        await expect(desk.page.get_by_test_id("phone-answer")).to_be_visible()
        await desk.press("Alt+j")
        await expect(desk.state).to_have_text("通话中", timeout=LIVE_MS)
        # The call is told by itself, before or after the state; only with it can it be held.
        await expect(desk.page.get_by_test_id("call")).to_be_visible(timeout=LIVE_MS)
        await desk.press("Alt+h")
        # What came of the wish may be told before its answer; until that, no second one is taken.
        back = desk.page.get_by_role("button", name="取回来电人")
        await expect(back).to_have_attribute("aria-disabled", "false", timeout=LIVE_MS)
        await expect(desk.page.get_by_text("来电人保持中")).to_be_visible(timeout=LIVE_MS)
        await desk.press("Alt+h")
        await expect(desk.page.get_by_text("来电人保持中")).to_have_count(0, timeout=LIVE_MS)
        await desk.press("Alt+k")
        await expect(desk.state).to_have_text("话后整理", timeout=LIVE_MS)
        await call.hangup()
    await desk.press("Alt+r")
    await desk.page.get_by_role("button", name="不生成工单，就绪").click()
    await expect(desk.state).to_have_text("就绪", timeout=LIVE_MS)
    await desk.page.get_by_role("button", name="签出").click()
    await expect(desk.page.get_by_label("用户名")).to_be_visible()
    assert desk.faults == []


async def test_sign_in_errors_and_the_end_of_a_session_are_told(
    browser: Browser, product: Product
) -> None:
    desk = await seat(browser, product, "1003")
    await desk.open()
    await desk.sign_in(desk.username, "wrong password")
    await expect(desk.page.get_by_role("alert")).to_have_text("用户名或密码不对。")
    await desk.sign_in("nobody", "wrong password")
    await expect(desk.page.get_by_role("alert")).to_have_text("用户名或密码不对。")
    await desk.picture("sign_in_wrong")
    await desk.sign_in(desk.username, desk.password)
    await expect(desk.state).to_have_text("小休", timeout=LIVE_MS)

    owner = await connect(database_url(product.settings, "owner"), name="test")
    try:
        ended = await owner.execute(
            "DELETE FROM hotline.sessions USING hotline.users WHERE users.id = sessions.user_id"
            " AND users.username = $1",
            desk.username,
        )
    finally:
        await owner.close()
    assert ended != "DELETE 0"
    # What the person does next is refused and leads to the sign-in page.
    await desk.press("Alt+r")
    await expect(desk.page.get_by_text("登录已失效")).to_be_visible(timeout=LIVE_MS)
    await desk.picture("session_over")
    await desk.sign_in(desk.username, desk.password)
    await expect(desk.state).to_have_text("小休", timeout=LIVE_MS)
    await desk.page.get_by_role("button", name="签出").click()
    await expect(desk.page.get_by_label("用户名")).to_be_visible()
