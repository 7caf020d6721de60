"""Encryption of packets without copies: the only file that reaches into pylibsrtp.

pylibsrtp makes several objects for each packet, which takes as long as the encryption. Here the
session's own buffer is used. ``tests/engine/test_srtp.py`` has a canary for the private names.
"""

from __future__ import annotations

from typing import Any

import pylibsrtp
from pylibsrtp import _binding

_lib: Any = _binding.lib
_ffi: Any = _binding.ffi

LONGEST_BYTES = 1500 - 148
"""Of a packet to encrypt: what libsrtp may add has to fit into pylibsrtp's buffer, too."""


class SrtpSession:
    """One direction of a connection.

    What :meth:`protect` gives is valid until the next call.

    Args:
        session: With keys.
    """

    def __init__(self, session: pylibsrtp.Session) -> None:
        private: Any = session
        self._session = session  # it owns what the others point to
        self._srtp = private._srtp[0]
        self._cdata = private._cdata
        self._buffer = private._buffer
        self._view = memoryview(private._buffer)
        self._size = len(private._buffer)
        self._length = _ffi.new("int *")

    def protect(self, packet: bytes) -> memoryview | None:
        """An RTP packet encrypted; ``None`` when it cannot be."""
        size, length = len(packet), self._length
        if size > LONGEST_BYTES:
            return None
        self._buffer[0:size] = packet
        length[0] = size
        return (
            None if _lib.srtp_protect(self._srtp, self._cdata, length) else self._view[: length[0]]
        )

    def protect_rtcp(self, packet: bytes) -> memoryview | None:
        """A compound RTCP packet encrypted; ``None`` when it cannot be."""
        size, length = len(packet), self._length
        if size > LONGEST_BYTES:
            return None
        self._buffer[0:size] = packet
        length[0] = size
        failed = _lib.srtp_protect_rtcp(self._srtp, self._cdata, length)
        return None if failed else self._view[: length[0]]

    def unprotect(self, packet: bytes) -> bytes | None:
        """An RTP packet in the clear; ``None`` for one that is not genuine, or came before."""
        size, length = len(packet), self._length
        if size > self._size:
            return None
        buffer = self._buffer
        buffer[0:size] = packet
        length[0] = size
        return (
            None if _lib.srtp_unprotect(self._srtp, self._cdata, length) else buffer[0 : length[0]]
        )

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """A compound RTCP packet in the clear; ``None`` for one that is not genuine."""
        size, length = len(packet), self._length
        if size > self._size:
            return None
        buffer = self._buffer
        buffer[0:size] = packet
        length[0] = size
        failed = _lib.srtp_unprotect_rtcp(self._srtp, self._cdata, length)
        return None if failed else buffer[0 : length[0]]
