"""Limits and behaviour of the videoroom plugin."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...settings import IceSettings


@dataclass(frozen=True, slots=True)
class VideoRoomOptions:
    """Limits and behaviour of the plugin.

    Args:
        ice: Servers and policy of the rooms' own side.
        admin_key: What ``create`` must carry, when it is set (Janus documentation, ``admin_key``);
            ``list`` with it shows private rooms too.
        recordings: Folder below which rooms record; ``None`` refuses recording. A client's
            ``rec_dir`` is a folder in it, since clients are not trusted with paths.
        max_rooms: At the same time.
        max_participants: In one room.
        max_subscribers: Subscribing connections to one room.
    """

    ice: IceSettings = field(default_factory=IceSettings)
    admin_key: str | None = field(default=None, repr=False)
    recordings: Path | None = None
    max_rooms: int = 1024
    max_participants: int = 256
    max_subscribers: int = 2048
