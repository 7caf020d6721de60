"""What every test shares: the marker ``slow``, and no proxy or server setting from outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Set by a developer's shell, these would send the tests to another server.
for _name in ("XNB_SERVER", "XNB_SERVER_TOKEN"):
    os.environ.pop(_name, None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than about ten seconds")


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The top folder of the checkout."""
    return Path(__file__).resolve().parent.parent
