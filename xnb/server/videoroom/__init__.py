"""The videoroom plugin of the embedded Janus API: rooms, publishers, subscribers; packets only."""

from .options import VideoRoomOptions
from .plugin import VideoRoom

__all__ = ["VideoRoom", "VideoRoomOptions"]
