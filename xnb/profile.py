"""Everything that differs from one calling service to another, in one value.

What is not certain about the live service (PROTOCOL section E) is a field here, so that it can
be changed with :func:`dataclasses.replace` without touching code.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from .errors import SettingsError

LoginMode = Literal["direct", "web"]
PathKey = Literal[
    "token",
    "login",
    "authorize",
    "turn",
    "create",
    "publish",
    "join",
    "status",
    "leave",
    "send",
    "send_batch",
    "receive",
    "lookup",
    "announce",
    "incoming",
    "region",
    "group_create",
    "group_publish",
    "group_reconnect",
    "group_chat",
    "group_invite",
    "group_join",
    "group_negotiate",
    "group_stream_publish",
    "group_stream_end",
    "group_status",
    "group_mute",
    "group_unmute",
    "group_decline",
    "group_remove",
    "group_end",
    "group_end_broadcast",
    "group_counts",
]
PATH_KEYS: tuple[PathKey, ...] = get_args(PathKey)
Family = Literal["graphql", "proxsee", "guest", "signer"]
RoomDialect = Literal["stock", "gateway"]

_PATHS: dict[PathKey, str | None] = {
    "token": "{query_id}/AuthenticatePeriscope",
    "login": "loginTwitterToken",
    "authorize": "{prefix}authorizeToken",
    "turn": "{prefix}turnServers",
    "create": "p2p/broadcast/create",
    "publish": "p2p/broadcast/publish",
    "join": "p2p/broadcast/join",
    "status": "p2p/broadcast/status",
    "leave": "p2p/broadcast/leave",
    "send": "signaling/send",
    "send_batch": "signaling/sendBatch",
    "receive": "signaling/receive",
    "lookup": None,
    "announce": None,
    "incoming": None,
    "region": "region",
    "group_create": "createBroadcast",
    "group_publish": "publishBroadcast",
    "group_reconnect": "reconnectHost",
    "group_chat": "accessChat",
    "group_invite": "audiospace/admin/invite",
    "group_join": "audiospace/join",
    "group_negotiate": "audiospace/stream/negotiate",
    "group_stream_publish": "audiospace/stream/publish",
    "group_stream_end": "audiospace/stream/end",
    "group_status": "audiospace/call/status",
    "group_mute": "audiospace/muteSpeaker",
    "group_unmute": "audiospace/unmuteSpeaker",
    "group_decline": "audiospace/updateDeclineReason",
    "group_remove": "audiospace/admin/removeParticipant",
    "group_end": "audiospace/admin/endAudiospace",
    "group_end_broadcast": "endBroadcast",
    "group_counts": None,
}
_OWN_PATHS: dict[PathKey, str | None] = {
    "lookup": "xnb/users/lookup",
    "announce": "xnb/announce",
    "incoming": "xnb/incoming",
    "group_counts": "xnb/rooms/counts",
    "region": None,
}
_WITH_COOKIE: frozenset[PathKey] = frozenset(
    {"group_create", "group_publish", "group_reconnect", "group_chat", "group_end_broadcast"}
)
_PROXSEE: frozenset[PathKey] = _WITH_COOKIE | {"login", "authorize", "turn"}


def _frozen(values: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(values))


@dataclass(frozen=True, slots=True)
class MessageFields:
    """JSON names of a signaling message's four members, and of the request that reads them."""

    id: str = "id"
    sender_id: str = "sender_id"
    type: str = "type"
    payload: str = "message"
    cursor: str = "cursor"
    messages: str = "messages"


@dataclass(frozen=True, slots=True)
class PollRhythm:
    """How often the server is asked.

    Args:
        hold_s: Longest time a long poll may take before it counts as lost.
        min_gap_s: Least time between two replies that brought nothing, for a server that does
            not hold the request.
        backoff_min_s: First pause after a failure; doubles with each further one.
        backoff_max_s: Longest such pause.
        jitter_s: Random addition to a pause.
        status_s: Time between two status requests.
    """

    hold_s: float = 35.0
    min_gap_s: float = 0.2
    backoff_min_s: float = 1.0
    backoff_max_s: float = 10.0
    jitter_s: float = 0.2
    status_s: float = 2.0


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """How a service wants its group calls (PROTOCOL C).

    The defaults are what an xnb server wants. The constants are those documented for Spaces;
    whether group calls of the live service use others is not known, so each can be changed.

    Args:
        app_component: Constant of ``createBroadcast`` and of the gateway's room.
        content_type: Constant of ``createBroadcast``.
        conversation_controls: Who may speak without being asked: 0 whom the host lets in,
            1 whom the host follows, 2 everyone.
        width_px: Of the picture that ``createBroadcast`` announces.
        height_px: The same.
        languages: Languages of the call, such as ``"en"``.
        dialect: ``"stock"`` Janus, or the live service's ``"gateway"`` (PROTOCOL C3), where the
            server's reply does not say.
        own_members: Send the members that only an xnb server knows: whether the call has video,
            its codec, its conversation and the most people.
        creates_room: The host creates the room itself, before joining it.
        host_starts_muted: The host has to take its own mute back.
        host_watches_itself: The host must also subscribe to its own feed, or the room ends.
        sends_descriptions: Streams are named when publishing; the gateway answers that with 429.
        uses_turn: TURN servers are used for the room. A gateway that closes relayed connections
            wants ``False``.
        dtls_s: How long a connection to the room may take before publishing is given up.
    """

    app_component: str = "audio-room"
    content_type: str = "visual_audio"
    conversation_controls: int = 0
    width_px: int = 1920
    height_px: int = 1080
    languages: tuple[str, ...] = ()
    dialect: RoomDialect = "stock"
    own_members: bool = True
    creates_room: bool = False
    host_starts_muted: bool = False
    host_watches_itself: bool = False
    sends_descriptions: bool = True
    uses_turn: bool = True
    dtls_s: float = 25.0


@dataclass(frozen=True, slots=True, repr=False)
class ServerProfile:
    """One calling service: where it is and how it wants to be spoken to.

    Args:
        name: What it is called in messages to people.
        graphql_url: Base of the GraphQL calls.
        proxsee_url: Base of login, guest token and TURN calls.
        guest_url: Base of broadcast and mailbox calls.
        home_url: Page whose answer sets the csrf cookie, where there is one.
        login_mode: ``"direct"`` sends ``direct: true``; ``"web"`` sends ``create_user: true``.
        proxsee_prefix: Put before ``authorizeToken`` and ``turnServers``.
        query_ids: GraphQL query ids by operation; they rotate on the live service.
        paths: Path by key; ``None`` where the service has no such call.
        message_fields: JSON names inside signaling messages.
        rhythm: How often the server is asked.
        user_header: Header that names the handle when asking for a token, if any.
        graphql_headers: Extra headers of GraphQL calls.
        proxsee_headers: Extra headers of proxsee calls.
        turn_extra: Extra members of the TURN request.
        vendor_id: Client constant of the login request.
        group: How group calls are made there.
        signer_url: Base of the call that names a region, where there is one.
        send_candidates: Also send each candidate as a CANDIDATE signal. They are in the
            description anyway; a far end that reads only signals may need it.
        experimental: Whether this profile was never tested against its service.
    """

    name: str
    graphql_url: str
    proxsee_url: str
    guest_url: str
    home_url: str | None = None
    login_mode: LoginMode = "direct"
    proxsee_prefix: str = "twitter/"
    query_ids: Mapping[str, str] = field(
        default_factory=lambda: _frozen({"AuthenticatePeriscope": "r7VUmxbfqNkx7uwjgONSNw"}),
        hash=False,
    )
    paths: Mapping[PathKey, str | None] = field(
        default_factory=lambda: MappingProxyType(_PATHS), hash=False
    )
    message_fields: MessageFields = MessageFields()
    rhythm: PollRhythm = PollRhythm()
    user_header: str | None = None
    graphql_headers: Mapping[str, str] = field(default_factory=lambda: _frozen({}), hash=False)
    proxsee_headers: Mapping[str, str] = field(default_factory=lambda: _frozen({}), hash=False)
    turn_extra: Mapping[str, bool] = field(
        default_factory=lambda: MappingProxyType({"p2p": True}), hash=False
    )
    vendor_id: str = "m5-proxsee-login-a2011357b73e"
    group: GroupSettings = GroupSettings()
    signer_url: str | None = None
    send_candidates: bool = False
    experimental: bool = False

    def __post_init__(self) -> None:
        for url in (self.graphql_url, self.proxsee_url, self.guest_url, self.signer_url):
            if url is None:
                continue
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise SettingsError(
                    "A server URL must start with http:// or https:// and name a host.",
                    remedy="Check Client(server=...) or XNB_SERVER.",
                )
        if self.login_mode not in get_args(LoginMode):
            raise SettingsError(
                f"login_mode is {self.login_mode!r}.", remedy="Use 'direct' or 'web'."
            )

    def __repr__(self) -> str:
        flag = ", experimental" if self.experimental else ""
        return f"ServerProfile({self.name!r}, login_mode={self.login_mode!r}{flag})"

    @classmethod
    def local(cls, base_url: str) -> ServerProfile:
        """The profile of an ``xnb serve`` server at ``base_url``.

        Raises:
            SettingsError: ``base_url`` is no http(s) URL.
        """
        base = base_url.rstrip("/")
        return cls(
            name="xnb server",
            graphql_url=f"{base}/graphql",
            proxsee_url=f"{base}/api/v2",
            guest_url=f"{base}/guest/api/v1",
            paths=MappingProxyType({**_PATHS, **_OWN_PATHS}),
            user_header="x-xnb-user",
        )

    @classmethod
    def live(cls) -> ServerProfile:
        """The live service. Experimental: nothing here was ever tested against it."""
        browser = {
            "User-Agent": (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/131.0.0.0 Safari/537.36"
            ),
            "sec-ch-ua": '"Chromium";v="131", "Not_A Brand";v="24"',
            "sec-ch-ua-mobile": "?0",
            "sec-ch-ua-platform": '"Linux"',
        }
        return cls(
            name="live service",
            graphql_url="https://api.x.com/graphql",
            proxsee_url="https://proxsee.pscp.tv/api/v2",
            guest_url="https://guest.pscp.tv/api/v1",
            home_url="https://x.com/",
            login_mode="web",
            proxsee_prefix="",
            rhythm=PollRhythm(min_gap_s=1.0),
            graphql_headers=_frozen(
                {
                    **browser,
                    "x-twitter-auth-type": "OAuth2Session",
                    "x-twitter-active-user": "yes",
                    "x-twitter-client-language": "en",
                    "sec-fetch-dest": "empty",
                    "sec-fetch-mode": "cors",
                    "sec-fetch-site": "same-site",
                }
            ),
            proxsee_headers=_frozen(
                {
                    **browser,
                    "X-Periscope-User-Agent": "Twitter/m5",
                    "X-Attempt": "1",
                    "Referer": "https://x.com/",
                }
            ),
            group=GroupSettings(
                dialect="gateway",
                own_members=False,
                creates_room=True,
                host_starts_muted=True,
                host_watches_itself=True,
                sends_descriptions=False,
                uses_turn=False,
            ),
            signer_url="https://signer.pscp.tv",
            experimental=True,
        )

    def has(self, key: PathKey) -> bool:
        """Whether the service has this call."""
        if key == "region" and self.signer_url is None:
            return False
        return self.paths.get(key) is not None

    def family(self, key: PathKey) -> Family:
        """Which of the services a call belongs to."""
        if key == "token":
            return "graphql"
        if key == "region":
            return "signer"
        return "proxsee" if key in _PROXSEE else "guest"

    @staticmethod
    def takes_cookie(key: PathKey) -> bool:
        """Whether the login's cookie goes into the body of a call (PROTOCOL A3)."""
        return key in _WITH_COOKIE

    def url(self, key: PathKey) -> str:
        """The full URL of a call.

        Raises:
            SettingsError: The service has no such call.
        """
        path = self.paths.get(key)
        if path is None or not self.has(key):
            raise SettingsError(
                f"The {self.name} has no call {key!r}.",
                remedy="Use an xnb server, or another way to do this.",
            )
        bases = {
            "graphql": self.graphql_url,
            "proxsee": self.proxsee_url,
            "guest": self.guest_url,
            "signer": self.signer_url,
        }
        path = path.format(
            query_id=self.query_ids["AuthenticatePeriscope"], prefix=self.proxsee_prefix
        )
        return f"{bases[self.family(key)]}/{path}"

    @property
    def is_loopback(self) -> bool:
        """Whether the guest service runs on this machine, so that no proxy may be used."""
        host = cast("str", urlsplit(self.guest_url).hostname)
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False
