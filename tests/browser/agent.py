"""What a person does at the page, in their own words; and what the page must never do."""

import re

from playwright.async_api import Locator, Page, expect

from tests.fakes.desk_backend import AGENT_NAME, PASSWORD, DeskBackend

_EXPECTED_NOISE = "Failed to load resource"
"""Chromium logs each refused request; a refusal the page shows in Chinese is no fault of it."""
_OUT_OF_TOUCH = re.compile("正在连接|连接中断|正在恢复|暂停更新")
"""What stands for the state until the page has its line and the server hears: no key is taken."""


class Screen:
    """One browser page of one person, at any server that speaks the contract."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("request", lambda request: self._note_request(request.url))

    def _note(self, kind: str, text: str) -> None:
        is_noise = text.startswith((_EXPECTED_NOISE, "WebSocket connection to"))
        if kind in ("error", "warning") and not is_noise:
            self.faults.append(f"console {kind}: {text}")

    def _note_request(self, url: str) -> None:
        if not url.startswith((self.url, "data:")):
            self.faults.append(f"foreign request: {url}")

    async def open(self) -> None:
        await self.page.goto(self.url)

    async def sign_in(self, username: str = AGENT_NAME, password: str = PASSWORD) -> None:
        await self.page.get_by_label("用户名").fill(username)
        await self.page.get_by_label("密码").fill(password)
        await self.page.get_by_role("button", name="登录").click()

    async def open_signed_in(self) -> None:
        await self.open()
        await self.sign_in()
        await self.until_live()

    async def until_live(self) -> None:
        await expect(self.state).not_to_have_text(_OUT_OF_TOUCH)

    @property
    def state(self) -> Locator:
        return self.page.get_by_test_id("state")

    @property
    def pop(self) -> Locator:
        return self.page.get_by_test_id("pop")

    def field(self, name: str) -> Locator:
        return self.page.locator(f"#field-{name}")

    def mark(self, name: str) -> Locator:
        return self.page.locator(f"[data-field={name}]").get_by_test_id("mark")

    async def press(self, keys: str) -> None:
        await self.page.keyboard.press(keys)

    async def focused(self) -> str:
        """Name or text of what has the focus."""
        text: str = await self.page.evaluate(
            "() => { const e = document.activeElement;"
            " return e.id || e.getAttribute('aria-label') || e.textContent.trim() }"
        )
        return text


class Desk(Screen):
    """One browser page of one agent, against the scripted server."""

    def __init__(self, page: Page, backend: DeskBackend) -> None:
        super().__init__(page, backend.url)
        self.backend = backend
