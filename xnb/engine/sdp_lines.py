"""The m-lines of descriptions: which are taken, and what is said of those that are not.

aiortc answers every m-line of an offer and knows no way to reject one (port 0, RFC 3264 section
6), and it cannot read a description in which one is rejected. So it is shown only what is taken;
the rest is put back into what leaves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiortc.codecs import CODECS
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.sdp import SessionDescription

from ..errors import SignalingError

_DIRECTIONS = ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")
_OF_THE_TRANSPORT = (
    "a=ice-ufrag:",
    "a=ice-pwd:",
    "a=ice-options:",
    "a=fingerprint:",
    "a=setup:",
    "a=candidate:",
    "a=end-of-candidates",
)


class Section:
    """One m-line and its attributes.

    Attributes:
        lines: As in the description, the m-line first.
        kind: ``"audio"``, ``"video"`` or ``"application"``.
        mid: Its name in this description (RFC 5888), empty when it has none.
        is_rejected: Whether its port is 0 without being part of a bundle (RFC 9143 section 7.3.1).
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = list(lines)
        words = self.lines[0][2:].split()
        self.kind = words[0]
        self.mid = next((line[6:].strip() for line in lines if line.startswith("a=mid:")), "")
        self.is_rejected = words[1:2] == ["0"] and "a=bundle-only" not in self.lines

    @property
    def sends(self) -> bool:
        """Whether the side that wrote it wants to send."""
        return not self.is_rejected and (
            "a=sendrecv" in self.lines
            or "a=sendonly" in self.lines
            or not any(line in _DIRECTIONS for line in self.lines)
        )

    def inactive(self) -> Section:
        """The same with nothing flowing."""
        kept = [line for line in self.lines if line not in _DIRECTIONS]
        return Section([*kept, "a=inactive"])

    def rejected(self) -> Section:
        """The answer that says no to it."""
        words = self.lines[0].split()
        made = [" ".join((words[0], "0", *words[2:])), "c=IN IP4 0.0.0.0", "a=inactive"]
        return Section([*made, f"a=mid:{self.mid}"] if self.mid else made)


def split(sdp: str) -> tuple[list[str], list[Section]]:
    """Take a description apart: the lines of the session, and the m-lines.

    Raises:
        SignalingError: There is no m-line in it.
    """
    lines = [line for line in re.split(r"\r?\n", sdp) if line]
    starts = [index for index, line in enumerate(lines) if re.match(r"m=\w+ \d+ ", line)]
    if not starts:
        raise SignalingError(
            "A description without media came.", remedy="Offer at least one m-line."
        )
    ends = [*starts[1:], len(lines)]
    sections = [Section(lines[start:end]) for start, end in zip(starts, ends, strict=True)]
    return lines[: starts[0]], sections


def joined(session: Sequence[str], sections: Sequence[Section]) -> str:
    """Put a description together; only m-lines that are not rejected are in the bundle."""
    mids = " ".join(one.mid for one in sections if one.mid and not one.is_rejected)
    made: list[str] = []
    for line in session:
        if line.startswith("a=group:BUNDLE"):
            made += [f"a=group:BUNDLE {mids}"] if mids else []
        else:
            made.append(line)
    for section in sections:
        made += section.lines
    return "\r\n".join(made) + "\r\n"


def common_codecs(sdp: str) -> list[list[str]]:
    """For each m-line the codecs we share, in lower case, in the order of the description.

    Raises:
        SignalingError: It cannot be read.
    """
    try:
        media = SessionDescription.parse(sdp).media
        return [
            [
                str(codec.name).lower()
                for codec in find_common_codecs(CODECS.get(one.kind, []), one.rtp.codecs)
                if str(codec.name).lower() != "rtx"
            ]
            for one in media
        ]
    except (AssertionError, AttributeError, IndexError, KeyError, StopIteration, ValueError):
        # The text of the original may quote the SDP, so it is not passed on.
        raise SignalingError(
            "The far end's description cannot be read.", remedy="It has to be SDP of WebRTC."
        ) from None


class OfferedLines:
    """The m-lines of a far end's offers, and those of them that are taken.

    A line that was taken stays: aiortc sees the taken ones in the order in which they were, and
    one that a later offer rejects as an inactive one.
    """

    def __init__(self) -> None:
        self._taken: dict[str, Section] = {}
        self._offered: list[Section] = []

    @property
    def mids(self) -> list[str]:
        """Of the taken lines, in the order in which they were taken."""
        return list(self._taken)

    def is_restart(self, sdp: str) -> bool:
        """Whether an offer has other ICE credentials than the last (RFC 8839 section 4.4.1.1).

        Raises:
            SignalingError: It cannot be read.
        """
        for section in split(sdp)[1]:
            known = self._taken.get(section.mid)
            if known and not section.is_rejected:
                return _ufrag(section) != _ufrag(known)
        return False

    def reduced(self, sdp: str, wanted: Sequence[str]) -> str:
        """An offer with what is taken only.

        Args:
            sdp: The offer.
            wanted: Mids that may be taken from now on.

        Raises:
            SignalingError: Nothing in it is taken.
        """
        session, self._offered = split(sdp)
        for section in self._offered:
            if section.mid in self._taken and section.is_rejected:
                self._taken[section.mid] = self._taken[section.mid].inactive()
            elif section.mid in self._taken or (section.mid in wanted and not section.is_rejected):
                self._taken[section.mid] = section
        if not self._taken:
            raise SignalingError(
                "Nothing that is offered can be taken.",
                remedy="Offer sound as Opus, pictures as VP8 or H.264.",
            )
        taken = list(self._taken.values())
        first = taken[0]
        if not any(line.startswith("a=candidate:") for line in first.lines):
            # In a bundle they may be in any line, also in one that is not taken.
            first.lines += next(filter(None, map(_candidates, self._offered)), [])
        return joined(session, taken)

    def restored(self, answer: str) -> str:
        """The whole answer: what was not taken is rejected."""
        session, sections = split(answer)
        ours = {section.mid: section for section in sections}
        made = []
        for offered in self._offered:
            mine = ours.get(offered.mid)
            made.append(offered.rejected() if mine is None or offered.is_rejected else mine)
        return joined(session, made)


def _ufrag(section: Section) -> list[str]:
    return [line for line in section.lines if line.startswith("a=ice-ufrag:")]


def _candidates(section: Section) -> list[str]:
    found = [line for line in section.lines if line.startswith("a=candidate:")]
    return [*found, *(one for one in section.lines if found and one == "a=end-of-candidates")]


def without_rejections(answer: str, offer: str) -> str:
    """An answer to our offer in which rejected m-lines are inactive ones.

    Args:
        answer: The far end's.
        offer: What it answers.

    Raises:
        SignalingError: It does not fit the offer, or rejects all of it.
    """
    session, answered = split(answer)
    _, offered = split(offer)
    taken = next((one for one in answered if not one.is_rejected), None)
    if taken is None or len(answered) != len(offered):
        raise SignalingError(
            "The answer does not fit the offer.", remedy="Answer every m-line, take at least one."
        )
    transport = [line for line in taken.lines if line.startswith(_OF_THE_TRANSPORT)]
    made = []
    for mine, theirs in zip(offered, answered, strict=True):
        if theirs.is_rejected:
            kept = [line for line in mine.lines if not line.startswith(_OF_THE_TRANSPORT)]
            made.append(Section([*kept, *transport]).inactive())
        else:
            made.append(theirs)
    return joined(session, made)
