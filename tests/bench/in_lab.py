"""JupyterLab and Chromium for benchmarks: the same helpers that the browser tests use."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .harness import ROOT, Missing

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.browser.lab import Lab

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
VIEW = {"width": 1200, "height": 1000}


def need_browser() -> str:
    """The path of Chromium.

    Raises:
        Missing: It, JupyterLab or Playwright is not installed.
    """
    for module in ("jupyterlab", "playwright"):
        if importlib.util.find_spec(module) is None:
            raise Missing(f"{module} is not installed (make setup)")
    chromium = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if chromium is None:
        raise Missing("no Chromium on the path (apt-get install chromium)")
    return chromium


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """A JupyterLab server in a new folder; afterwards its kernels are ended, too."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from tests.browser.lab import Lab

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lab = Lab(folder)
    try:
        lab.wait_until_up()
        yield lab
        lab.shut_kernels()
    finally:
        lab.close()


@asynccontextmanager
async def running_browser(chromium: str) -> AsyncIterator[Browser]:
    """A browser that plays sound without a click, and lets nobody hear it."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=["--autoplay-policy=no-user-gesture-required", "--mute-audio"],
            # Chromium's sandbox refuses to run as root.
            chromium_sandbox=os.geteuid() != 0,
        )
        try:
            yield browser
        finally:
            await browser.close()


def notebook_of(
    sources: Sequence[str], outputs: Sequence[list[Any]] = (), kernel: str = "python3"
) -> dict[str, Any]:
    """A notebook with one code cell for each source."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell{index}",
                "metadata": {},
                "execution_count": index + 1 if outputs else None,
                "outputs": outputs[index] if outputs else [],
                "source": source.strip(),
            }
            for index, source in enumerate(sources)
        ],
    }
