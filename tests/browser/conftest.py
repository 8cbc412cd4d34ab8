"""A headless browser at a scripted desk. Where there is no Chromium the tests say so and skip."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from tests.browser.agent import Desk
from tests.browser.chromium import needed_chromium, new_page, open_browser
from tests.fakes.desk_backend import DeskBackend


@pytest.fixture
async def backend() -> AsyncIterator[DeskBackend]:
    async with DeskBackend() as running:
        yield running


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with open_browser(needed_chromium()) as browser:
        yield await new_page(browser)


@pytest.fixture
async def desk(page: Page, backend: DeskBackend) -> AsyncIterator[Desk]:
    """The page of agent 1001. It must end without a script error or a foreign request."""
    at_desk = Desk(page, backend)
    yield at_desk
    assert at_desk.faults == []
    assert backend.asked.page_loads <= 1, "the page was loaded again"
