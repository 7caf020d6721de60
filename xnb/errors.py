"""The exception tree.

::

    XnbError
    ├── SettingsError          a value out of range or a combination that cannot work
    ├── LoopError              a blocking twin called where it would block the loop it waits for
    ├── SignalingError         the server answered something we cannot use
    │   ├── CallGated          403 on create: the account may not place calls yet
    │   ├── Unauthorized       the server does not accept our token or session
    │   ├── UnknownUser        nobody with that id or handle
    │   ├── NotInvited         a group call that nobody asked us into
    │   ├── RoomFull           a group call that takes nobody more
    │   ├── CallEnded          a group call that is over, or never was
    │   └── Unreachable        no answer at all
    ├── CallError              the call ended before it was connected
    │   ├── Declined, Busy     the far end said no
    │   └── Missed             the far end did not answer in time
    ├── ConnectError           signaling worked, media could not connect; names the stage
    ├── MediaError             a file, device or array that cannot be sent
    ├── RecordingError         a recording that cannot be written
    └── SfuError               the group-call server refused a request

Every message says what failed, the likely cause and what to do next. None holds a token, a
cookie, an address or SDP.
"""

from __future__ import annotations


class XnbError(Exception):
    """Base of every error raised on purpose by xnb.

    Args:
        message: What failed and why.
        remedy: What to do next; appended to the text.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}" if remedy else message)


class SettingsError(XnbError, ValueError):
    """A setting is out of range or two settings contradict each other."""


class LoopError(XnbError, RuntimeError):
    """A blocking call was made on the event loop it would wait for."""


class SignalingError(XnbError):
    """The signaling server refused a request or sent something unusable.

    Args:
        status: HTTP status code, when there was an answer.
    """

    def __init__(self, message: str, *, remedy: str = "", status: int | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class CallGated(SignalingError):
    """The server answered 403 to the creation of a call: the account is not in the rollout."""


class Unauthorized(SignalingError):
    """The server does not accept the token, cookie or session it was given."""


class UnknownUser(SignalingError):
    """The recipient's id or handle belongs to nobody."""


class Unreachable(SignalingError):
    """The server did not answer within the time limit."""


class NotInvited(SignalingError):
    """The group call is not open to us: its host has not invited us, or has removed us."""


class RoomFull(SignalingError):
    """The group call has as many people as it takes."""


class CallEnded(SignalingError):
    """The group call is over, or there never was one with that id."""


class CallError(XnbError):
    """The call ended before both sides were connected."""


class Declined(CallError):
    """The far end declined the call."""


class Busy(Declined):
    """The far end is in another call."""


class Missed(CallError):
    """The far end did not answer before the ringing limit."""


class ConnectError(XnbError):
    """Media could not be connected.

    Args:
        stage: The last stage reached: ``gathering``, ``signaling``, ``checking``, ``dtls``,
            ``connected``.
    """

    def __init__(self, message: str, *, stage: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.stage = stage


class MediaError(XnbError):
    """A file, device, generator or array that cannot be used as media."""


class RecordingError(XnbError):
    """A recording cannot be started, written or read."""


class SfuError(XnbError):
    """The group-call server refused a request.

    Args:
        code: The server's error code (Janus numbering), when given.
    """

    def __init__(self, message: str, *, remedy: str = "", code: int | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
