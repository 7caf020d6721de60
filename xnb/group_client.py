"""Group calls of a client: starting one, joining one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from .errors import SettingsError
from .group_call import GroupCall
from .group_wire.roles import GuestWire, HostWire
from .group_wire.wire import GroupWire
from .loop import Runner, blocking, crosses
from .media.accept import Sendable
from .settings import CallOptions, IceSettings, Timeouts, VideoCodec, VideoSettings
from .signaling.audiospace import AudioSpace
from .signaling.messages import User

if TYPE_CHECKING:
    from .calls import Call
    from .profile import ServerProfile
    from .signaling.bootstrap import Bootstrap
    from .signaling.http import HttpClient
    from .signaling.trace import Trace


class GroupCalls:
    """The part of :class:`~xnb.client.Client` that makes group calls."""

    runner: Runner
    trace: Trace
    _calls: set[Call]
    _http: HttpClient | None
    _bootstrap: Bootstrap
    _profile: ServerProfile
    _options: Callable[..., CallOptions]
    _space: tuple[HttpClient, AudioSpace] | None = None

    async def _prepare(self, call: Call) -> None:
        raise NotImplementedError  # pragma: no cover - Client has it

    def _spaces(self) -> AudioSpace:
        """The server's group calls; made anew when the server was."""
        assert self._http is not None
        if self._space is None or self._space[0] is not self._http:
            self._space = self._http, AudioSpace(self._http, self._profile)
        return self._space[1]

    def prepare_group_call(
        self,
        *,
        invite: Sequence[object] = (),
        title: str = "",
        max_participants: int | None = None,
        source: Sendable | None = None,
        video_codec: VideoCodec | None = "vp8",
        **options: Any,
    ) -> tuple[GroupCall, Coroutine[Any, Any, None]]:
        """A group call that is not started yet, and the coroutine that starts it.

        For widgets, which show the call before it stands. Takes what :meth:`start_group_call`
        takes.
        """
        if isinstance(invite, str | bytes):
            raise SettingsError(
                f"invite is {invite!r}.", remedy="Give a list of handles or ids: ['alice', 'bob']."
            )
        call = GroupCall(
            self.runner,
            recipient=User("", ""),
            options=self._options(video_codec=video_codec or "vp8", **options),
            is_host=True,
            title=title,
            source=source,
        )

        def wire() -> GroupWire:
            return HostWire(
                *self._parts(call), invite=invite, title=title, max_participants=max_participants
            )

        return call, self._begin(call, wire)

    def prepare_join(
        self,
        broadcast_id: str,
        *,
        host: User | None = None,
        title: str = "",
        chat_token: str = "",
        source: Sendable | None = None,
        **options: Any,
    ) -> tuple[GroupCall, Coroutine[Any, Any, None]]:
        """A group call that is not joined yet, and the coroutine that joins it.

        For widgets, as :meth:`prepare_group_call`. Takes what :meth:`join_group_call` takes, and
        what an invitation told: who the host is, the title, and the chat token.
        """
        if not broadcast_id or not isinstance(broadcast_id, str):
            raise SettingsError(
                "A group call is joined by its broadcast id.",
                remedy="Ask the host for call.broadcast_id.",
            )
        call = GroupCall(
            self.runner,
            recipient=host or User("", ""),
            options=self._options(**options),
            is_host=False,
            title=title,
            source=source,
        )

        def wire() -> GroupWire:
            return GuestWire(*self._parts(call), broadcast_id=broadcast_id, chat_token=chat_token)

        return call, self._begin(call, wire)

    def _parts(self, call: GroupCall) -> tuple[Any, ...]:
        return call, self._bootstrap, self._spaces(), self._profile, self.trace

    async def _begin(self, call: GroupCall, wire: Any) -> None:
        self._calls.add(call)
        call.on("ended", lambda _event: self._calls.discard(call))
        await self._prepare(call)
        await call._start(wire())

    @crosses
    async def start_group_call(
        self,
        invite: Sequence[object] = (),
        *,
        video: bool = False,
        conversation_id: str | None = None,
        video_codec: VideoCodec | None = "vp8",
        title: str = "",
        source: Sendable | None = None,
        max_participants: int | None = None,
        video_settings: VideoSettings | None = None,
        ice: IceSettings | None = None,
        timeouts: Timeouts | None = None,
    ) -> GroupCall:
        """Start a group call and invite people. Returns when the room stands and they know.

        It lasts until its host hangs up; then it ends for everybody.

        Args:
            invite: Numeric ids, handles, or objects with an ``id``; more later with
                ``call.invite``.
            video: Send and receive pictures.
            conversation_id: The conversation it belongs to.
            video_codec: ``"vp8"`` or ``"h264"``, the same for everybody.
            title: What it is called.
            source: What to send, as for :meth:`~xnb.Client.call`.
            max_participants: Most people at a time, the host included; the server's own limit
                holds as well.
            video_settings: Limits of the video that is sent.
            ice: Instead of the client's.
            timeouts: Instead of the client's.

        Raises:
            UnknownUser: Nobody has one of the ids or handles; nothing was started.
            CallGated: The account may not host group calls.
            Unreachable, Unauthorized, SignalingError, SfuError: From the server or the room.
            SettingsError: Settings that contradict each other.

        Example:
            >>> call = await client.start_group_call(["alice", "testcard"], video=True)
            >>> call.broadcast_id
        """
        call, starting = self.prepare_group_call(
            invite=invite,
            video=video,
            conversation_id=conversation_id,
            video_codec=video_codec,
            title=title,
            source=source,
            max_participants=max_participants,
            video_settings=video_settings,
            ice=ice,
            timeouts=timeouts,
        )
        await starting
        return call

    start_group_call_now = blocking(start_group_call)

    @crosses
    async def join_group_call(
        self,
        broadcast_id: str,
        *,
        video: bool = False,
        source: Sendable | None = None,
        video_settings: VideoSettings | None = None,
        ice: IceSettings | None = None,
        timeouts: Timeouts | None = None,
    ) -> GroupCall:
        """Join a group call that we are invited to. Returns when we are in its room.

        Args:
            broadcast_id: ``call.broadcast_id`` of the host, or of the invitation.
            video: Send and receive pictures.
            source: What to send, as for :meth:`~xnb.Client.call`.
            video_settings: Limits of the video that is sent.
            ice: Instead of the client's.
            timeouts: Instead of the client's.

        Raises:
            NotInvited: The host has not invited us, or has removed us.
            RoomFull: It has as many people as it takes.
            CallEnded: It is over, or there never was one with that id.
            Unreachable, Unauthorized, SignalingError, SfuError: From the server or the room.

        Example:
            >>> call = await client.join_group_call(broadcast_id, video=True)
            >>> [person.name for person in call.participants]
            ['alice', 'testcard']
        """
        call, joining = self.prepare_join(
            broadcast_id,
            video=video,
            source=source,
            video_settings=video_settings,
            ice=ice,
            timeouts=timeouts,
        )
        await joining
        return call

    join_group_call_now = blocking(join_group_call)
