"""One running product for the tests of the whole way; people around it are made anew."""

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bench.soak_product import settings_variables
from server.commands.up import bring_up_services
from server.settings_loader import load_settings
from server.setup.models import ensure_demo_voices, install_model
from tests.asterisk.conftest import TOOLS
from tests.conftest import free_port_base
from tests.system.product import Product, until


@pytest.fixture(scope="session", autouse=True)
def _light_process() -> None:
    """Leave what earlier tests made in this process out of every further collection of garbage.

    Some 800 MB after a whole lane: walking them stops the people of these tests for a second.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def _product(memory_folder: Path) -> Iterator[Product]:
    home = memory_folder / "product"
    home.mkdir(mode=0o755)
    environment = {
        "HOTLINE_HOME": str(home),
        "HOTLINE_TOOLS": str(TOOLS),
        "HOTLINE_PORT_BASE": str(free_port_base()),
        "HOTLINE_SPEECH_MODEL": "demo-zh",
        "HOTLINE_RING_TIMEOUT_S": "10",
        "HOTLINE_PAGE_PHONES": "1003",
    }
    with settings_variables(environment):
        settings = load_settings()
        install_model("demo-zh", settings.tools, print)
        ensure_demo_voices(settings, print)
        installation = bring_up_services(settings, print)
        product = Product(settings, installation)
        try:
            product.start_roles()
            yield product
        finally:
            product.stop_roles()
            installation.stop(print)


@pytest.fixture
async def product(_product: Product) -> AsyncIterator[Product]:
    """The running product; afterwards no channel may be left in Asterisk."""
    yield _product
    await until(lambda: not _product.channels(), what="all channels gone")
