"""Which layer comes: by the tile, by the path, by what somebody wants. No network here."""

from __future__ import annotations

import pytest

import xnb
from xnb.group_layers import FIRST_HOLD_S, PROVEN_S, LayerChooser, Reading

BOTH = {"high", "low"}
FINE = Reading(loss=0.0, estimate_bps=3_000_000, received_bps=900_000)
LOSSY = Reading(loss=0.2, estimate_bps=None, received_bps=900_000)
FULL = Reading(loss=0.0, estimate_bps=500_000, received_bps=900_000)
NARROW = Reading(loss=0.0, estimate_bps=60_000, received_bps=160_000)
SO_SO = Reading(loss=0.05, estimate_bps=None, received_bps=900_000)


def feed(chooser, reading, seconds, from_s=0.0):
    """A reading a second; the layer after each."""
    layers = []
    for second in range(1, seconds + 1):
        chooser.read(reading, from_s + second)
        layers.append(chooser.layer(BOTH))
    return layers


def test_the_tile_decides_while_the_path_is_fine():
    chooser = LayerChooser()
    assert chooser.layer(BOTH) == "high"
    chooser.tile_height_px = 120
    assert chooser.layer(BOTH) == "low"
    chooser.tile_height_px = 0
    assert chooser.layer(BOTH) == "off"
    chooser.tile_height_px = 720
    assert chooser.layer(BOTH) == "high"
    chooser.tile_height_px = None
    assert chooser.layer(BOTH) == "high"


def test_a_tile_between_the_limits_changes_nothing():
    chooser = LayerChooser()
    seen = []
    for height_px in (300, 220, 201, 239, 200, 220, 239, 240, 220):
        chooser.tile_height_px = height_px
        seen.append(chooser.layer(BOTH))
    assert seen == ["high"] * 4 + ["low"] * 3 + ["high"] * 2


def test_a_hidden_tile_that_comes_back_small_gets_the_low_layer():
    chooser = LayerChooser()
    chooser.tile_height_px = 0
    chooser.tile_height_px = 220
    assert chooser.layer(BOTH) == "low"


def test_a_wish_is_kept_whatever_tile_and_path_say():
    chooser = LayerChooser()
    chooser.wish = "high"
    chooser.tile_height_px = 50
    assert feed(chooser, LOSSY, 10) == ["high"] * 10
    chooser.wish = "off"
    assert chooser.layer(BOTH) == "off"
    chooser.wish = "auto"
    assert chooser.layer(BOTH) == "off", "by now the path carries sound alone"
    with pytest.raises(xnb.SettingsError, match="auto, high, low, off"):
        chooser.wish = "medium"


def test_delays_alone_leave_the_small_picture():
    assert feed(LayerChooser(), FULL, 12) == ["high"] + ["low"] * 11


@pytest.mark.parametrize("bad", [LOSSY, NARROW])
def test_a_bad_path_takes_the_picture_down_step_by_step(bad):
    layers = feed(LayerChooser(), bad, 8)
    assert layers == ["high", "low", "low", "low", "off", "off", "off", "off"]


def test_one_bad_second_does_nothing():
    chooser = LayerChooser()
    for second in range(0, 40, 2):
        chooser.read(LOSSY, second)
        chooser.read(FINE, second + 1)
    assert chooser.layer(BOTH) == "high"


def test_back_up_one_step_at_a_time_after_holding():
    chooser = LayerChooser()
    feed(chooser, LOSSY, 5)
    assert chooser.ceiling == "off"
    layers = feed(chooser, FINE, 30, from_s=5)
    assert layers.index("low") == pytest.approx(FIRST_HOLD_S, abs=1)
    assert layers.index("high") == pytest.approx(2 * FIRST_HOLD_S, abs=2)
    assert layers[-1] == "high"


def test_neither_good_nor_bad_keeps_what_there_is():
    chooser = LayerChooser()
    feed(chooser, LOSSY, 2)
    assert set(feed(chooser, SO_SO, 60, from_s=2)) == {"low"}


def test_a_try_that_fails_is_not_repeated_so_soon():
    """A path that carries the low layer alone: the tries get rarer, 6, 12, 24, 48, 60 s apart."""
    chooser = LayerChooser()
    raised = []
    for second in range(600):
        before = chooser.ceiling
        chooser.read(LOSSY if chooser.ceiling == "high" else FINE, second)
        if before == "low" and chooser.ceiling == "high":
            raised.append(second)
    gaps = [after - before for before, after in zip(raised, raised[1:], strict=False)]
    assert gaps[0] >= 2 * FIRST_HOLD_S
    assert gaps == sorted(gaps)
    assert 60 <= gaps[-1] <= 65
    assert len(raised) < 15


def test_a_layer_that_lasts_makes_the_next_try_quick_again():
    chooser = LayerChooser()
    now_s = 0.0

    def go(reading, seconds):
        nonlocal now_s
        feed(chooser, reading, seconds, from_s=now_s)
        now_s += seconds

    for _ in range(3):
        go(LOSSY, 2)
        while chooser.ceiling != "high":
            go(FINE, 1)
    go(FINE, int(PROVEN_S) + 1)
    go(LOSSY, 2)
    assert chooser.ceiling == "low"
    go(FINE, int(FIRST_HOLD_S) + 1)
    assert chooser.ceiling == "high"


@pytest.mark.parametrize(
    ("available", "wish", "tile_px", "expected"),
    [
        ({"high"}, "auto", 100, "high"),
        ({"low"}, "auto", 700, "low"),
        ({"high"}, "low", None, "high"),
        ({"low"}, "high", None, "low"),
        (set(), "high", None, "off"),
        (set(), "auto", 700, "off"),
    ],
)
def test_one_layer_stands_in_for_the_other(available, wish, tile_px, expected):
    chooser = LayerChooser()
    chooser.wish, chooser.tile_height_px = wish, tile_px
    assert chooser.layer(available) == expected


def test_a_path_for_the_low_layer_gets_no_high_one_instead():
    chooser = LayerChooser()
    feed(chooser, LOSSY, 2)
    assert chooser.layer({"high"}) == "off"
    assert chooser.layer(BOTH) == "low"


def test_another_connection_begins_anew():
    chooser = LayerChooser()
    feed(chooser, LOSSY, 10)
    chooser.restart()
    assert chooser.layer(BOTH) == "high"
