"""The command ``xnb``: ``call``, ``serve``, ``lab``, ``doctor``.

Exit status of ``xnb call``: 0 done as asked, 2 wrong usage or settings, 3 declined, busy, missed or
ended by the far end too early, 4 signaling (unreachable, unauthorised, unknown user, gated),
5 a media file cannot be read or written, 6 media could not be connected, 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from . import errors
from .events import CallState, EndReason

if TYPE_CHECKING:
    from .calls import Call
    from .live_recording import CallRecording
    from .playback import Playback

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_DECLINED = 3
EXIT_SIGNALING = 4
EXIT_MEDIA = 5
EXIT_CONNECT = 6
EXIT_INTERRUPTED = 130

_SOUND_SUFFIXES = {".wav", ".ogg", ".opus"}
_PICTURE_SUFFIXES = {".webm", ".mp4", ".mkv"}
_REFRESH_S = 0.1
_LINE_EVERY_S = 5.0

# The first class that fits counts.
_STATUS_OF: tuple[tuple[type[BaseException], int], ...] = (
    (errors.SettingsError, EXIT_USAGE),
    (errors.SignalingError, EXIT_SIGNALING),
    (errors.CallError, EXIT_DECLINED),
    (errors.MediaError, EXIT_MEDIA),
    (errors.RecordingError, EXIT_MEDIA),
    (errors.ConnectError, EXIT_CONNECT),
    (errors.XnbError, EXIT_FAILED),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; those of the process when ``None``.

    Returns:
        The exit status.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["serve"]:
        # It has its own parser, and the child process of a kernel should start fast.
        from .server.run import main as serve

        return serve(arguments[1:])
    args = _parser().parse_args(arguments)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except errors.XnbError as error:
        print(f"xnb: {error}", file=sys.stderr)
        return exit_status(error)


def exit_status(error: BaseException) -> int:
    """The exit status that says what kind of error ended a command."""
    return next((status for kind, status in _STATUS_OF if isinstance(error, kind)), EXIT_FAILED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xnb", description="Audio and video calls for notebooks and the command line."
    )
    parser.add_argument("--version", action="version", version=f"xnb {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    call = commands.add_parser(
        "call",
        help="place a call, send a file, record what comes back",
        description="Place a call. It lasts --seconds; else until the sent file is done; else "
        "until Ctrl-C.",
        epilog="Exit status: 0 done as asked; 2 wrong usage or settings; 3 declined, busy, missed "
        "or ended early by the far end; 4 signaling (unreachable, unauthorised, unknown user, "
        "gated); 5 a media file cannot be read or written; 6 media could not be connected; "
        "130 interrupted.",
    )
    call.add_argument("recipient", help="handle, @handle or numeric id; bots: echo, testcard, …")
    call.add_argument("--send", type=Path, metavar="FILE", help="media file to send")
    call.add_argument(
        "--record",
        type=Path,
        metavar="OUT",
        help="record what comes back: .webm, .mp4, .mkv; sound alone: .wav, .ogg",
    )
    call.add_argument("--seconds", type=_seconds, metavar="N", help="length of the call")
    kind = call.add_mutually_exclusive_group()
    kind.add_argument(
        "--video",
        action="store_true",
        default=None,
        help="a video call (the default when the file sent or recorded has a picture)",
    )
    kind.add_argument("--audio-only", dest="video", action="store_false", help="sound alone")
    call.add_argument("--codec", choices=("vp8", "h264"), help="video codec; both are offered else")
    call.add_argument("--server", metavar="URL", help="server to use (its token: XNB_SERVER_TOKEN)")
    call.add_argument("--name", metavar="ME", help="handle to call as (default: the user's name)")
    call.set_defaults(run=_call)

    # Only for the list of commands: main() hands its arguments on before this parser sees them.
    commands.add_parser("serve", help="run the signaling server and its bots", add_help=False)

    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on the first-call notebook",
        description="Open JupyterLab on a notebook: on the first call if none is named. The "
        "notebooks that come with xnb are copied into this folder when it has no first call.",
    )
    lab.add_argument("notebook", nargs="?", type=Path, help="notebook to open instead")
    lab.add_argument("--port", type=int, default=8888, help="port; the next free one if taken")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.set_defaults(run=_lab)

    doctor = commands.add_parser(
        "doctor",
        help="say what works here, what is missing, and the remedy",
        description="Check this machine: each line says ok, missing or broken, with the remedy. "
        "Exit status 1 when something a call needs does not work.",
    )
    doctor.set_defaults(run=_doctor)
    return parser


def _version() -> str:
    try:
        return version("xnb")
    except PackageNotFoundError:
        return "(not installed)"


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return value


def _doctor(_args: argparse.Namespace) -> int:
    from .doctor import main as doctor

    return doctor()


def _lab(args: argparse.Namespace) -> int:
    from .lab import open_lab

    return open_lab(args.notebook, port=args.port, browser=not args.no_browser)


def _call(args: argparse.Namespace) -> int:
    return asyncio.run(CallCommand(args).run())


class Progress:
    """Lines about a call; on a terminal the last one is a bar that moves.

    Args:
        out: Where to write.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._tty = out.isatty()
        self._bar = ""
        self._last_line_s = time.monotonic()

    def say(self, text: str) -> None:
        """Write one line that stays."""
        self._clear()
        print(text, file=self._out, flush=True)

    def show(self, share: float | None, text: str) -> None:
        """Show how far it is: ``share`` from 0 to 1, or ``None`` where no end is known."""
        if not self._tty:
            if time.monotonic() - self._last_line_s >= _LINE_EVERY_S:
                self._last_line_s = time.monotonic()
                self.say(text)
            return
        columns = shutil.get_terminal_size().columns
        bar = ""
        if share is not None:
            filled = round(20 * min(1.0, max(0.0, share)))
            bar = "[" + "#" * filled + "." * (20 - filled) + "] "
        self._clear()
        self._bar = (bar + text)[: columns - 1]
        self._out.write(self._bar)
        self._out.flush()

    def _clear(self) -> None:
        if self._bar:
            self._out.write("\r" + " " * len(self._bar) + "\r")
            self._bar = ""


class CallCommand:
    """``xnb call``: one call from its arguments to its exit status."""

    def __init__(self, args: argparse.Namespace, out: TextIO | None = None) -> None:
        self._args = args
        self._progress = Progress(out or sys.stdout)
        self._playback: Playback | None = None
        self._recording: CallRecording | None = None

    async def run(self) -> int:
        """Place the call and see it through; returns the exit status."""
        from .client import Client

        args = self._args
        sends_picture = self._probe()
        video = args.video
        if video is None:
            records_picture = args.record and args.record.suffix.lower() in _PICTURE_SUFFIXES
            video = bool(sends_picture or records_picture)
        with _terminate_as_interrupt():
            async with Client(args.name or _user_name(), server=args.server) as client:
                call, placing = client.prepare_call(
                    args.recipient, video=video, video_codec=args.codec, prefer=args.send
                )
                self._progress.say(f"Calling {call.title}")
                self._follow(call)
                if args.record is not None:
                    self._recording = call.record(args.record)
                try:
                    await placing
                    status = await self._talk(call, sends_picture and video)
                finally:
                    recorded = await asyncio.shield(self._finish(call))
                return status if recorded or status else EXIT_MEDIA

    def _probe(self) -> bool:
        """Whether the file to send has a picture; raises before anybody is called."""
        args = self._args
        if args.record is not None:
            suffix = args.record.suffix.lower()
            if suffix not in _SOUND_SUFFIXES | _PICTURE_SUFFIXES:
                raise errors.RecordingError(
                    f"{args.record.name} has no suffix that says how to record.",
                    remedy="Use .webm, .mp4, .mkv, or for sound alone .wav or .ogg.",
                )
        if args.send is None:
            return False
        from .media.files import FileSource

        source = FileSource.open(args.send)
        try:
            return source.video is not None
        finally:
            source.close()

    async def _talk(self, call: Call, send_picture: bool) -> int:
        args = self._args
        await call.until("connected", timeout_s=None)
        if args.send is not None:
            send = call.send_video_file if send_picture else call.send_audio_file
            self._playback = await send(args.send)
        start_s = time.monotonic()
        while call.state is not CallState.ENDED:
            elapsed_s = time.monotonic() - start_s
            if args.seconds is not None and elapsed_s >= args.seconds:
                return EXIT_OK
            if self._playback and self._playback.done.is_done:
                await self._playback.done
                if args.seconds is None:
                    return EXIT_OK
            self._show(elapsed_s)
            await asyncio.sleep(_REFRESH_S)
        return self._ended_by_far_end(call)

    def _ended_by_far_end(self, call: Call) -> int:
        if call.error is not None:
            raise call.error
        if call.end_reason is EndReason.NETWORK:
            return EXIT_CONNECT
        wanted_more = self._args.seconds is not None or self._args.send is not None
        return EXIT_DECLINED if wanted_more else EXIT_OK

    def _follow(self, call: Call) -> None:
        said: set[str] = set()

        def tell(event: Any) -> None:
            if call.is_over:
                return
            text = getattr(event, "text", "") or getattr(event, "detail", "")
            if text and text not in said:
                said.add(text)
                self._progress.say(f"  {text}")

        call.on("stage", tell)
        call.on("statechange", tell)
        call.on("error", lambda event: self._progress.say(f"  {event.error.message}"))

    def _show(self, elapsed_s: float) -> None:
        seconds, words = self._args.seconds, [f"{elapsed_s:.1f} s"]
        share = elapsed_s / seconds if seconds else None
        if seconds:
            words = [f"{elapsed_s:.1f} of {seconds:g} s"]
        if self._playback:
            words.append(f"sending {self._playback.name} {self._playback.progress:.0%}")
            if share is None and self._playback.duration_s:
                share = self._playback.progress
        if self._recording and not self._recording.is_finished:
            words.append(f"recording {self._args.record.name}")
        if share is None:
            words.append("Ctrl-C ends the call")
        self._progress.show(share, ", ".join(words))

    async def _finish(self, call: Call) -> bool:
        """Complete the recording, hang up, say what became of it; whether it is complete."""
        recorded = True
        try:
            for recording in dict.fromkeys(await self._recording.stop() if self._recording else ()):
                size = f", {recording.width}x{recording.height}" if recording.has_video else ""
                self._progress.say(f"Recorded {recording.path}: {recording.duration_s:.1f} s{size}")
        except errors.RecordingError:
            # The call has said it, as an event.
            recorded = False
        finally:
            await call.hangup()
            reason = str(call.end_reason or "").replace("_", " ")
            self._progress.say(f"Call over after {call.duration_seconds:.1f} s ({reason}).")
        return recorded


def _user_name() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = ""
    handle = "".join(letter for letter in name if letter.isascii() and letter.isalnum())
    return handle[:15] or "me"


def _interrupt() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in its background that way.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """While it lasts, SIGTERM ends the call as Ctrl-C does, so that recordings are completed."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGTERM, _interrupt)
    except (NotImplementedError, RuntimeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
