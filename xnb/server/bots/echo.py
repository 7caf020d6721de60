"""``echo``: your own packets back."""

from __future__ import annotations

from .base import Bot
from .call import answering
from .line import Line
from .room_call import sitting
from .seat import Seat


class EchoBot(Bot):
    """Sends back what you send, without decoding it.

    It teaches that a call moves *encoded* media: the bot gives each of your packets another
    number and returns it, as a forwarding server does, and so uses next to no processor. The
    picture you get back was encoded once, by you: its quality and its delay are those of your
    own sender and of the way there and back. When you ask the bot for a keyframe it has none to
    make, and asks you for one: watch the PLI go out and come back. In a group call it sends back
    what the host sends.
    """

    handle = "echo"

    async def called(self, line: Line) -> None:
        """See :meth:`Bot.called`."""
        async with answering(line) as call:
            if call is None:
                return
            peer = call.peer
            peer.audio_out.forward(peer.audio_in)
            peer.video_out.forward(peer.video_in)
            await call.run(camera=True)

    async def invited(self, seat: Seat) -> None:
        """See :meth:`Bot.invited`."""
        async with sitting(seat) as call:
            if call is not None:
                call.echo(seat.host_id)
                await call.run(camera=True)
