"""JupyterLab on a free port and Debian's Chromium under Playwright.

Everything of Playwright lives inside one test: its sync form, or a browser kept over several
tests, would leave an event loop behind that the asyncio tests of this suite cannot run beside.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from notebook_runs import BROWSERS

if TYPE_CHECKING:
    from playwright.async_api import Page

    from .lab import Lab, LabPage

ROOT = Path(__file__).resolve().parent.parent.parent
STARTUP = ROOT / "tests" / "notebook_startup.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on the path (apt-get install chromium, or make setup as root)")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running JupyterLab; its folder is empty at first."""
    for module in ("jupyterlab", "playwright"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (pip install '.[test]', or make setup)")
    from .lab import Lab

    server = Lab(tmp_path_factory.mktemp("lab"))
    try:
        server.wait_until_up()
        yield server
    finally:
        server.close()


@pytest.fixture
async def page(chromium: str) -> AsyncIterator[Page]:
    """A fresh browser with one page; what it logs as an error is printed when the test fails."""
    from playwright.async_api import async_playwright

    arguments = ["--autoplay-policy=no-user-gesture-required", "--mute-audio"]
    # A green camera and a beeping microphone, always allowed.
    arguments += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=arguments,
            # Chromium's sandbox refuses to run as root.
            chromium_sandbox=os.geteuid() != 0,
        )
        try:
            opened = await browser.new_page(viewport={"width": 1200, "height": 1000})
            opened.on(
                "console",
                lambda message: print("page:", message.text) if message.type == "error" else None,
            )
            opened.on("pageerror", lambda error: print("page raised:", error))
            yield opened
        finally:
            await browser.close()


Opener = Callable[[str], Awaitable["LabPage"]]


@pytest.fixture
async def open_notebook(lab: Lab, page: Page) -> AsyncIterator[Opener]:
    """Opens a fresh copy of one of ``notebooks/``; afterwards kernels and files are gone."""
    from .lab import LabPage

    async def open_one(name: str) -> LabPage:
        shutil.copyfile(ROOT / "notebooks" / name, lab.root / name)
        return await LabPage.open(lab, page, name)

    yield open_one
    lab.shut_kernels()
    for path in lab.root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def ears(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """The file with what may not be saved; and JupyterLab saves the state of widgets."""
    folder = lab.root.parent
    startup = folder / "ipython" / "profile_default" / "startup" / STARTUP.name
    setting = folder / "settings" / "@jupyter-widgets" / "jupyterlab-manager"
    for made in (startup.parent, setting):
        made.mkdir(parents=True, exist_ok=True)
    place = f"import os\nos.environ['XNB_RUN_FOLDER'] = {os.fspath(tmp_path)!r}\n"
    code = STARTUP.read_text(encoding="utf-8").replace("from __future__ import annotations", place)
    startup.write_text(code, encoding="utf-8")
    (setting / "plugin.jupyterlab-settings").write_text('{"saveState": true}')
    try:
        yield tmp_path / "planted.jsonl"
    finally:
        startup.unlink()
        (setting / "plugin.jupyterlab-settings").unlink()
