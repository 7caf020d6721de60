"""Encryption without copies: the same bytes as pylibsrtp's own, and its private names."""

from __future__ import annotations

import os

import pylibsrtp
import pytest
from pylibsrtp import Policy, Session

from xnb.engine.srtp import LONGEST_BYTES, SrtpSession

PROFILES = [
    Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
]
KEY = bytes(range(64))
RTP = bytes.fromhex("8060000100000001 0000000a") + os.urandom(600)
RTCP = bytes.fromhex("80c90001 0000000a")


def session(profile, kind):
    policy = Policy(key=KEY, ssrc_type=kind, srtp_profile=profile)
    return Session(policy)


def sender(profile):
    return session(profile, Policy.SSRC_ANY_OUTBOUND)


def receiver(profile):
    return session(profile, Policy.SSRC_ANY_INBOUND)


def test_private_names():
    made = sender(PROFILES[0])
    assert made._srtp[0]
    assert len(made._buffer) == 1500
    assert LONGEST_BYTES + max(
        pylibsrtp.SRTP_MAX_TRAILER_LEN, pylibsrtp.SRTP_MAX_SRTCP_TRAILER_LEN
    ) <= len(made._cdata)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_bytes_are_those_of_pylibsrtp(profile):
    ours, theirs = SrtpSession(sender(profile)), sender(profile)
    assert bytes(ours.protect(RTP)) == theirs.protect(RTP)
    assert bytes(ours.protect_rtcp(RTCP)) == theirs.protect_rtcp(RTCP)


@pytest.mark.parametrize("profile", PROFILES)
def test_there_and_back(profile):
    there, back = SrtpSession(sender(profile)), SrtpSession(receiver(profile))
    first = bytes(there.protect(RTP))
    assert first != RTP
    assert back.unprotect(first) == RTP
    assert back.unprotect(first) is None  # it came before
    assert back.unprotect_rtcp(bytes(there.protect_rtcp(RTCP))) == RTCP
    forged = bytearray(there.protect(RTP[:3] + b"\x02" + RTP[4:]))
    forged[-1] ^= 1
    assert back.unprotect(bytes(forged)) is None
    assert back.unprotect_rtcp(bytes(forged)) is None


def test_what_is_too_long_is_refused():
    there, back = SrtpSession(sender(PROFILES[0])), SrtpSession(receiver(PROFILES[0]))
    longest = RTP[:12] + bytes(LONGEST_BYTES - 12)
    assert back.unprotect(bytes(there.protect(longest))) == longest
    assert there.protect(longest + b"x") is None
    assert there.protect_rtcp(RTCP + bytes(LONGEST_BYTES)) is None
    assert back.unprotect(bytes(1501)) is None
    assert back.unprotect_rtcp(bytes(1501)) is None
    assert back.unprotect(b"") is None
