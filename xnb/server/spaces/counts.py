"""What goes into a group call's room and out of it, counted: for those who are in the call.

A path of our own; the live service has none, and rooms on a real Janus are not counted here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..auth import Auth
from ..refusal import Refusal
from .audiospace import AudioSpaces
from .requests import SpaceStatus
from .routes import ReadBody

if TYPE_CHECKING:
    from ..videoroom import VideoRoom

PATH = "/guest/api/v1/xnb/rooms/counts"


def add_room_counts(
    app: web.Application,
    spaces: AudioSpaces,
    videoroom: VideoRoom,
    auth: Auth,
    read: ReadBody,
) -> None:
    """Serve :data:`PATH`.

    Args:
        app: Where the route is added.
        spaces: The group calls.
        videoroom: The embedded SFU's rooms.
        auth: Who asks.
        read: Reads a body.
    """

    async def handle(request: web.Request) -> web.Response:
        caller = auth.guest(request.headers.get("Authorization"))
        body = await read(request, SpaceStatus)
        spaces.status(caller, body.broadcast_id)  # refuses whoever is not in it
        return web.json_response(counts_of(videoroom, body.broadcast_id))

    app.router.add_post(PATH, handle)


def counts_of(videoroom: VideoRoom, broadcast_id: str) -> dict[str, Any]:
    """Packets and bytes in and out of one room, without the ids of Janus handles.

    Returns:
        ``feeds`` (``id``, ``display``, ``streams``) is what comes in, ``subscribers``
        (``streams``, each with the ``feed`` it is of) what goes out; see
        :meth:`~xnb.server.videoroom.VideoRoom.counts`.

    Raises:
        Refusal: 404, the room is not on the embedded SFU.
    """
    found = next((one for one in videoroom.counts() if one["room"] == broadcast_id), None)
    if found is None:
        raise Refusal(
            404,
            "not_counted",
            "The call's room is not on the embedded SFU, and no other is counted.",
            "Start the server without --janus to look inside a room.",
        )
    subscribers = [{"streams": one["streams"]} for one in found["subscribers"]]
    return {"feeds": found["feeds"], "subscribers": subscribers}
