"""How one room is set up: what ``create`` gives and ``edit`` changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..janus.plugin import Json, PluginError
from .requests import INVALID_ELEMENT, flag, number, text, texts

AUDIO_CODECS = ("opus",)
VIDEO_CODECS = ("vp8", "h264")
"""What the forwarder knows; other codecs of Janus in a list are passed over."""
JANUS_AUDIO_CODECS = {"opus", "multiopus", "isac32", "isac16", "pcmu", "pcma", "g722", "l16-48"}
JANUS_VIDEO_CODECS = {"vp8", "vp9", "h264", "av1", "h265"}
LEAST_BITRATE_BPS = 64_000
"""A lower limit is taken for this one, as in Janus."""


@dataclass(frozen=True)
class RoomSettings:
    """A room's properties, with Janus' names in comments where ours differ.

    Args:
        description: A name to show.
        secret: What ``edit``, ``destroy``, ``kick`` and the like must carry.
        pin: What ``join`` must carry.
        is_private: Whether ``list`` leaves it out.
        require_pvtid: Whether subscribers must name the private id of a participant.
        publishers: How many may publish at the same time.
        bitrate_bps: ``bitrate``: video of one publisher, 0 without a limit.
        bitrate_cap: Whether a publisher cannot raise its own limit above that.
        fir_freq_s: ``fir_freq``: seconds between keyframe requests of the room, 0 for none.
        audio_codecs: ``audiocodec``: allowed, the best first.
        video_codecs: ``videocodec``: allowed, the best first.
        audiolevel_event: Whether talking is told.
        audio_active_packets: How many packets of sound are judged together.
        audio_level_average: Louder than this many dBov below full scale counts as talking.
        notify_joining: Whether everybody is told who joins, also those who publish nothing.
        record: Whether every publisher is recorded.
        rec_dir: Where, below the server's folder of recordings.
        lock_record: Whether recording can be switched with the secret only.
    """

    description: str = ""
    secret: str | None = field(default=None, repr=False)
    pin: str | None = field(default=None, repr=False)
    is_private: bool = False
    require_pvtid: bool = False
    publishers: int = 3
    bitrate_bps: int = 0
    bitrate_cap: bool = False
    fir_freq_s: int = 0
    audio_codecs: tuple[str, ...] = AUDIO_CODECS
    video_codecs: tuple[str, ...] = ("vp8",)
    audiolevel_event: bool = False
    audio_active_packets: int = 100
    audio_level_average: int = 25
    notify_joining: bool = False
    record: bool = False
    rec_dir: str | None = None
    lock_record: bool = False

    @property
    def codecs(self) -> dict[str, tuple[str, ...]]:
        """Allowed codecs by kind, the best first."""
        return {"audio": self.audio_codecs, "video": self.video_codecs}

    def codecs_for(self, body: Json) -> dict[str, tuple[str, ...]]:
        """The same with what a publisher prefers first (``audiocodec``, ``videocodec``).

        Raises:
            PluginError: It is not allowed here (430).
        """
        codecs = self.codecs
        for kind, allowed in self.codecs.items():
            wanted = text(body, f"{kind}codec")
            if wanted is None:
                continue
            if wanted.lower() not in allowed:
                raise PluginError(
                    INVALID_ELEMENT, f"{kind.capitalize()} codec unavailable in this room"
                )
            codecs[kind] = tuple(sorted(allowed, key=lambda one: one != wanted.lower()))
        return codecs

    def shown(self) -> Json:
        """What ``list`` says of it."""
        told: Json = {
            "description": self.description,
            "pin_required": bool(self.pin),
            "is_private": self.is_private,
            "max_publishers": self.publishers,
            "bitrate": self.bitrate_bps,
            "fir_freq": self.fir_freq_s,
            "require_pvtid": self.require_pvtid,
            "require_e2ee": False,
            "dummy_publisher": False,
            "notify_joining": self.notify_joining,
            "audiocodec": ",".join(self.audio_codecs),
            "videocodec": ",".join(self.video_codecs),
            "record": self.record,
            "lock_record": self.lock_record,
            "audiolevel_ext": True,
            "audiolevel_event": self.audiolevel_event,
            "videoorient_ext": False,
            "playoutdelay_ext": False,
            "transport_wide_cc_ext": False,
        }
        if self.bitrate_cap:
            told["bitrate_cap"] = True
        if self.rec_dir:
            told["rec_dir"] = self.rec_dir
        if self.audiolevel_event:
            told["audio_active_packets"] = self.audio_active_packets
            told["audio_level_average"] = self.audio_level_average
        return told


def bitrate(value: int) -> int:
    """A limit in bits per second as it is used; 0 is none."""
    return max(LEAST_BITRATE_BPS, value) if value else 0


def codec_list(given: str | None, name: str) -> tuple[str, ...]:
    """Codecs of a comma-separated list, those that the forwarder knows.

    Args:
        given: As in the request; ``None`` gives Janus' default.
        name: ``audiocodec`` or ``videocodec``.

    Raises:
        PluginError: One is no codec of Janus, or none of them is known here (430).
    """
    known, janus = (
        (AUDIO_CODECS, JANUS_AUDIO_CODECS)
        if name == "audiocodec"
        else (VIDEO_CODECS, JANUS_VIDEO_CODECS)
    )
    if given is None:
        return known[:1]
    wanted = [one.strip().lower() for one in given.split(",")]
    ours = tuple(dict.fromkeys(one for one in wanted if one in known))
    if not ours or not set(wanted) <= janus:
        raise PluginError(
            INVALID_ELEMENT,
            f"Invalid element ({name} can only be or contain {', '.join(sorted(janus))}, "
            f"and has to contain {' or '.join(known)} on this server)",
        )
    return ours


def from_create(body: Json) -> tuple[RoomSettings, dict[str, tuple[str, ...]] | None]:
    """Settings of a room that is to be created, and its tokens, if it has some: anybody's.

    Raises:
        PluginError: A member has another type or cannot be (430).
    """
    publishers, packets = number(body, "publishers"), number(body, "audio_active_packets")
    average = number(body, "audio_level_average")
    fir_s = number(body, "fir_freq") or 0
    settings = RoomSettings(
        description=text(body, "description") or "",
        secret=text(body, "secret") or None,
        pin=text(body, "pin") or None,
        is_private=flag(body, "is_private") or False,
        require_pvtid=flag(body, "require_pvtid") or False,
        publishers=3 if publishers is None else publishers,
        bitrate_bps=bitrate(number(body, "bitrate") or 0),
        bitrate_cap=flag(body, "bitrate_cap") or False,
        fir_freq_s=fir_s,
        audio_codecs=codec_list(text(body, "audiocodec"), "audiocodec"),
        video_codecs=codec_list(text(body, "videocodec"), "videocodec"),
        audiolevel_event=flag(body, "audiolevel_event") or False,
        audio_active_packets=packets or 100,
        audio_level_average=average if average and average <= 127 else 25,
        notify_joining=flag(body, "notify_joining") or False,
        record=flag(body, "record") or False,
        rec_dir=text(body, "rec_dir"),
        lock_record=flag(body, "lock_record") or False,
    )
    if flag(body, "require_e2ee"):
        raise PluginError(INVALID_ELEMENT, "Invalid element (require_e2ee is not supported here)")
    tokens = texts(body, "allowed")
    return settings, None if tokens is None else dict.fromkeys(tokens, ())


def edited(settings: RoomSettings, body: Json) -> RoomSettings:
    """Settings after an ``edit`` request.

    Raises:
        PluginError: A member has another type (430).
    """
    new: dict[str, Any] = {
        "description": text(body, "new_description"),
        "secret": text(body, "new_secret"),
        "pin": text(body, "new_pin"),
        "is_private": flag(body, "new_is_private"),
        "require_pvtid": flag(body, "new_require_pvtid"),
        "fir_freq_s": number(body, "new_fir_freq"),
        "publishers": number(body, "new_publishers"),
        "lock_record": flag(body, "new_lock_record"),
        "rec_dir": text(body, "new_rec_dir"),
    }
    limit = number(body, "new_bitrate")
    if limit is not None:
        new["bitrate_bps"] = bitrate(limit)
    return replace(settings, **{name: value for name, value in new.items() if value is not None})
