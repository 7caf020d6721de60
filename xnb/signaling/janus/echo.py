"""The echo test: hear and see oneself by way of a Janus server."""

from __future__ import annotations

from .errors import JanusError
from .feeds import sdp_of
from .handle import JanusHandle
from .session import JanusSession


async def echo_test(
    session: JanusSession, offer_sdp: str, *, audio: bool = True, video: bool = True
) -> tuple[str, JanusHandle]:
    """Have the server send back what it gets.

    Args:
        session: An open session.
        offer_sdp: Our offer, with all candidates inside.
        audio: Whether to send sound back.
        video: Whether to send the picture back.

    Returns:
        The server's answer, and the handle; detaching it ends the echo.

    Raises:
        JanusError: The server has no echo test (460), or cannot use the offer.
    """
    handle = await session.attach("janus.plugin.echotest")
    try:
        reply = await handle.request(
            {"audio": audio, "video": video},
            {"type": "offer", "sdp": offer_sdp, "trickle": False},
        )
        return sdp_of(reply.jsep, "answer", "start the echo test"), handle
    except JanusError:
        await handle.detach()
        raise
