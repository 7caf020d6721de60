"""The ways that media may take from the kernel to a page."""

from __future__ import annotations

from typing import Literal, get_args

from ..errors import SettingsError

Transport = Literal["auto", "webrtc", "comm", "jpeg"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)


def check_transport(value: object) -> Transport:
    """``value`` if it names a way.

    Raises:
        SettingsError: It does not; names those that do.

    Example:
        >>> check_transport("comm")
        'comm'
    """
    for known in TRANSPORTS:
        if value == known:
            return known
    choices = ", ".join(f'"{known}"' for known in TRANSPORTS)
    raise SettingsError(f"transport is {value!r}.", remedy=f"Choose one of {choices}.")
