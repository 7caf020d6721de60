"""The interpreter switches quickly while an engine has a thread of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from xnb.loop import Runner

STANDARD_S = 0.005


@pytest.fixture(autouse=True)
def standard() -> Iterator[None]:
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(STANDARD_S)
    yield
    sys.setswitchinterval(before_s)


def test_it_is_put_back_with_the_last_engine() -> None:
    first, second = Runner(None), Runner(None)
    assert sys.getswitchinterval() < STANDARD_S / 5
    first.close()
    first.close()
    assert sys.getswitchinterval() < STANDARD_S / 5
    second.close()
    assert sys.getswitchinterval() == STANDARD_S


def test_what_somebody_else_set_meanwhile_stays() -> None:
    runner = Runner(None)
    sys.setswitchinterval(0.002)
    runner.close()
    assert sys.getswitchinterval() == pytest.approx(0.002)


def test_a_quicker_setting_is_left_alone() -> None:
    sys.setswitchinterval(0.0001)
    runner = Runner(None)
    assert sys.getswitchinterval() == pytest.approx(0.0001)
    runner.close()
    assert sys.getswitchinterval() == pytest.approx(0.0001)
