"""One of the others in a group call, as a value."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .engine.peer import PeerState
from .errors import MediaError
from .group_layers import Layer, LayerChooser, Wish
from .group_wire.subscription import layers_of, sound_of
from .loop import Runner, blocking, crosses, on_engine
from .tracks import RemoteAudio, RemoteVideo

if TYPE_CHECKING:
    from .engine.peer import Peer
    from .engine.rtp.packets import RtpPacket
    from .engine.stats import PeerStats
    from .group_wire.subscription import Subscription
    from .signaling.janus import Feed

QUIET_S = 1.5
"""Without a packet of sound for so long somebody counts as muted: who is not sends some 50 a
second, also when nobody speaks."""
DIGITAL_SILENCE = 127
"""What a muted microphone sends where it sends anything, in -dBov (RFC 6464 section 3)."""
SILENCE_S = 2.0
NO_PICTURE_S = 2.0
"""Without a picture for so long the camera counts as off."""


class Participant:
    """One of the others in a group call.

    Stays the same object while we reconnect, and while they do, unless the room told in between
    that they left: who comes back then is a new one with the same id.

    Whether somebody is muted, or has the camera off, is what this side sees: the host muted
    their sound, or no sound came for 1.5 s, or only digital silence for 2 s (RFC 6464); they
    send no picture, or none came for 2 s. While their picture is not subscribed to (layer
    ``"off"``) the camera counts as it was before.

    Attributes:
        id: Their numeric user id, as text.
        name: Their handle; the id until it is known.
        is_host: Whether the call is theirs.
        is_talking: Whether they talk now, as the room hears it.
        is_muted: See above.
        is_muted_by_host: Whether the host has stopped their sound in the room.
        is_camera_on: See above.
        joined_at: When they came, or when we did and found them there.
        audio: Their sound, :class:`~xnb.tracks.RemoteAudio`.
        video: Their picture, :class:`~xnb.tracks.RemoteVideo`.

    Example:
        >>> bob = call.participant("bob")
        >>> frame = await bob.video.snapshot()
    """

    def __init__(
        self, runner: Runner, user_id: str, name: str = "", *, is_host: bool = False
    ) -> None:
        self.runner = runner
        self.id = user_id
        self.name = name or user_id
        self.is_host = is_host
        self.is_talking = False
        self.is_muted = False
        self.is_muted_by_host = False
        self.is_camera_on = False
        self.joined_at = datetime.now(UTC)
        self.audio = RemoteAudio(runner)
        self.video = RemoteVideo(runner)
        self._chooser = LayerChooser()
        self._feed: Feed | None = None
        self._subscription: Subscription | None = None
        self._level: int | None = None
        self._room_level_dbov: float | None = None
        self._heard_s = self._sounded_s = self._seen_s = time.monotonic()
        self._pictures = 0
        self._camera_known = False
        self._on_layer: Callable[[], None] | None = None

    def __repr__(self) -> str:
        words = ["host"] if self.is_host else []
        words += ["talking"] if self.is_talking else []
        words += ["muted"] if self.is_muted else []
        words += [f"camera {'on' if self.is_camera_on else 'off'}", f"layer {self.layer}"]
        return f"<Participant {self.name}: {', '.join(words)}>"

    @property
    def peer(self) -> Peer | None:
        """The connection over which they come; ``None`` while there is none."""
        return self._subscription.peer if self._subscription else None

    @property
    def layer(self) -> Layer:
        """Which of their pictures comes: ``"high"``, ``"low"`` or ``"off"``."""
        if self._subscription is None or not self._subscription.available:
            return "off"
        return self._subscription.layer

    @property
    def _has_pictures(self) -> bool:
        return bool(self._subscription and self._subscription.available)

    @property
    def wished_layer(self) -> Wish:
        """What was asked for; ``"auto"`` at first."""
        return self._chooser.wish

    @property
    def level_dbov(self) -> float:
        """How loud they are now: 0 at full scale, -127 for silence (RFC 6464)."""
        if self._level is not None:
            return -float(self._level)
        return -127.0 if self._room_level_dbov is None else self._room_level_dbov

    @property
    def tile_height_px(self) -> int | None:
        """How high they are shown; 0 for not at all, ``None`` when nobody said. Settable."""
        return self._chooser.tile_height_px

    @tile_height_px.setter
    def tile_height_px(self, height_px: int | None) -> None:
        self._set_tile(height_px)

    @on_engine
    def _set_tile(self, height_px: int | None) -> None:
        self._chooser.tile_height_px = height_px
        if self._on_layer:
            self._on_layer()

    @crosses
    async def stats(self) -> PeerStats:
        """What is known of the connection over which they come.

        Raises:
            MediaError: There is none yet, or none now.
        """
        peer = self.peer
        if peer is None:
            raise MediaError(
                f"Nothing comes from {self.name} now.", remedy="Wait until they send something."
            )
        return await peer.stats()

    stats_now = blocking(stats)

    # What the wire does with it, on the engine's loop

    def _subscribed(self, subscription: Subscription, start_s: float) -> None:
        """Their media come over this connection from now on."""
        self._subscription = subscription
        peer = subscription.peer
        self._heard_s = self._sounded_s = self._seen_s = time.monotonic()
        self._pictures = 0
        self._level = None
        self._chooser.restart()
        peer.audio_in.on_packet(self._heard)
        self.audio._attach(peer, start_s)
        self.video._attach(peer, start_s)

    def _layer_for(self, available: Collection[str]) -> Layer:
        """The layer to have now, of those that they send."""
        peer = self.peer
        self._chooser.is_read = self.video.is_read or bool(peer and peer.video_in.is_read)
        return self._chooser.layer(available)

    def _heard(self, packet: RtpPacket, _codec: str) -> None:
        self._heard_s = packet.arrival_s
        self._level = packet.audio_level
        if packet.audio_level != DIGITAL_SILENCE:
            self._sounded_s = packet.arrival_s

    def _changed(self, now_s: float) -> bool:
        """Look at what came, and say whether they are muted or unmuted, on or off camera now."""
        before = (self.is_muted, self.is_camera_on)
        self.is_muted = self._is_muted(now_s)
        self.is_camera_on = self._is_camera_on(now_s)
        return before != (self.is_muted, self.is_camera_on)

    def _is_muted(self, now_s: float) -> bool:
        if self._feed is None or self.is_muted_by_host or sound_of(self._feed) is None:
            return True
        peer = self.peer
        if peer is None or peer.state is not PeerState.CONNECTED:
            return self.is_muted
        return now_s - self._heard_s > QUIET_S or now_s - self._sounded_s > SILENCE_S

    def _is_camera_on(self, now_s: float) -> bool:
        if self._feed is None or not layers_of(self._feed):
            return False
        peer, subscription = self.peer, self._subscription
        if subscription is None or peer is None or peer.state is not PeerState.CONNECTED:
            return self.is_camera_on
        if subscription.layer == "off":
            self._seen_s = now_s
            return self.is_camera_on or not self._camera_known
        if peer.video_in.frames != self._pictures:
            self._pictures, self._seen_s = peer.video_in.frames, now_s
        is_stale = now_s - self._seen_s > NO_PICTURE_S
        self._camera_known = self._camera_known or self._pictures > 0 or is_stale
        return not is_stale and (self.is_camera_on or self._pictures > 0)

    def _close_tracks(self) -> None:
        """They are gone: whoever reads gets what is left and stops."""
        self.audio._close()
        self.video._close()
