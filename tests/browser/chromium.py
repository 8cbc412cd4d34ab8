"""Debian's Chromium, driven by Playwright; Playwright's own browsers are never downloaded."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome")
STEP_TIMEOUT_MS = 20_000
"""What is waited for comes in moments; this long only on a machine that has other things to do."""
FAKE_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""Chromium's own test source: a beep every second; nobody is asked."""


def find_chromium() -> str | None:
    """The browser's path: ``HOTLINE_CHROMIUM``, or the first that is installed."""
    given = os.environ.get("HOTLINE_CHROMIUM")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


def needed_chromium() -> str:
    """The browser's path; without one the test is skipped, and says so."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium: apt-get install chromium, or set HOTLINE_CHROMIUM")
    return executable


@asynccontextmanager
async def open_browser(executable: str, *more: str) -> AsyncIterator[Browser]:
    """A headless browser; the sandbox needs rights that CI and root do not have.

    ``more``: further switches of Chromium.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *more],
        )
        try:
            yield browser
        finally:
            await browser.close()


async def new_page(browser: Browser, *, width: int = 1280, height: int = 800) -> Page:
    """A page as on an agent's desk, in a fresh profile."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    context.set_default_timeout(STEP_TIMEOUT_MS)
    expect.set_options(timeout=STEP_TIMEOUT_MS)
    return await context.new_page()
