"""Order, holes, wrap-around and restarts of sound on its way to a recorder."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xnb.engine.rtp.packets import RtpPacket
from xnb.engine.rtp.reorder import RESTART_PACKETS, Reorder

DEPTH = 3


def packet(number: int) -> RtpPacket:
    return RtpPacket(
        payload_type=96,
        sequence_number=number & 0xFFFF,
        timestamp=number,
        ssrc=1,
        payload=b"",
    )


def feed(numbers: list[int]) -> tuple[list[int], Reorder]:
    reorder = Reorder(DEPTH)
    return [one for number in numbers for one in numbers_of(reorder, number)], reorder


def numbers_of(reorder: Reorder, number: int) -> list[int]:
    return [one.timestamp for one in reorder.add(packet(number))]


def test_in_order_goes_straight_through():
    reorder = Reorder(DEPTH)
    assert [numbers_of(reorder, n) for n in (7, 8, 9)] == [[7], [8], [9]]


def test_two_that_changed_places():
    out, reorder = feed([1, 2, 4, 3, 5])
    assert out == [1, 2, 3, 4, 5]
    assert (reorder.lost, reorder.late) == (0, 0)


def test_a_lost_packet_holds_up_its_followers_for_a_moment_only():
    reorder = Reorder(DEPTH)
    assert numbers_of(reorder, 10) == [10]
    assert [numbers_of(reorder, n) for n in (12, 13, 14, 15)] == [[], [], [12, 13, 14], [15]]
    assert reorder.lost == 1
    assert numbers_of(reorder, 11) == []
    assert reorder.late == 1


def test_a_burst_of_losses_and_a_wrap():
    out, reorder = feed([*range(65500, 65530), *range(65540, 65600)])
    assert out == [*range(65500, 65530), *range(65540, 65600)]
    assert reorder.lost == 10


def test_a_sender_that_starts_anew():
    reorder = Reorder(DEPTH)
    assert numbers_of(reorder, 100) == [100]
    assert numbers_of(reorder, 102) == []
    far = 102 + RESTART_PACKETS
    assert numbers_of(reorder, far) == [102, far]
    assert numbers_of(reorder, 20) == [20]


@given(
    st.integers(0, 65535),
    st.lists(st.sampled_from(["good", "lost", "swap", "twice"]), min_size=1, max_size=200),
)
def test_whatever_the_network_does_order_holds_and_nothing_is_invented(start, fates):
    numbers: list[int] = []
    sent: set[int] = set()
    for step, fate in enumerate(fates):
        number = start + step
        if fate == "lost":
            continue
        sent.add(number)
        if fate == "swap" and numbers:
            numbers.insert(len(numbers) - 1, number)
        else:
            numbers.append(number)
        if fate == "twice":
            numbers.append(number)
    out, reorder = feed(numbers)
    assert out == sorted(set(out))
    assert set(out) <= sent
    assert len(sent) - len(out) <= reorder.late + DEPTH
