"""What tells the test cards apart: each has its own tone and, in a room, its own colour."""

from __future__ import annotations

TESTCARDS = 8
"""``testcard`` and ``testcard-2`` to ``testcard-8``."""

# An A major chord over two octaves and more: easy to tell apart, and bearable together.
_TONES_HZ = (440, 554, 659, 880, 1109, 1319, 1760, 2217)
_COLOURS = (
    (200, 40, 40),
    (40, 160, 60),
    (50, 80, 210),
    (215, 190, 40),
    (190, 50, 180),
    (40, 180, 190),
    (230, 120, 30),
    (180, 180, 180),
)


def tone_hz(number: int) -> int:
    """The tone of a test card, in Hz.

    Args:
        number: 1 for ``testcard``, 2 to 8 for the others.

    Raises:
        ValueError: There is no such test card.

    Example:
        >>> tone_hz(1)
        440
    """
    return _TONES_HZ[_index(number)]


def colour(number: int) -> tuple[int, int, int]:
    """The colour of a test card in a room: red, green and blue, 0 to 255.

    It fills the picture where nothing is drawn over it, such as from 6 % to 28 % of the height
    over the whole width. After compression each of the three is still within 40 of it, and the
    right one of the eight is the nearest.

    Args:
        number: 1 for ``testcard``, 2 to 8 for the others.

    Raises:
        ValueError: There is no such test card.

    Example:
        >>> colour(2)
        (40, 160, 60)
    """
    return _COLOURS[_index(number)]


def card_handle(number: int) -> str:
    """The handle of a test card. Raises ValueError when there is no such one."""
    return "testcard" if _index(number) == 0 else f"testcard-{number}"


def _index(number: int) -> int:
    if not 1 <= number <= TESTCARDS:
        raise ValueError(f"There is no test card number {number}: use 1 to {TESTCARDS}.")
    return number - 1
