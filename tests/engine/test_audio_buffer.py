"""Order, holes, wrap-around and restarts of the audio buffer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xnb.engine.audio_buffer import REORDER_PACKETS, RESTART_PACKETS, AudioBuffer


def feed(numbers: list[int]) -> tuple[list[int], AudioBuffer[int]]:
    buffer: AudioBuffer[int] = AudioBuffer()
    out = [item for number in numbers for item in buffer.add(number & 0xFFFF, number)]
    return out, buffer


def test_in_order_goes_straight_through():
    buffer: AudioBuffer[str] = AudioBuffer()
    assert [buffer.add(n, str(n)) for n in (7, 8, 9)] == [["7"], ["8"], ["9"]]


def test_two_that_changed_places():
    out, buffer = feed([1, 2, 4, 3, 5])
    assert out == [1, 2, 3, 4, 5]
    assert (buffer.lost, buffer.late) == (0, 0)


def test_a_lost_packet_holds_up_its_followers_for_a_moment_only():
    buffer: AudioBuffer[int] = AudioBuffer()
    assert buffer.add(10, 10) == [10]
    released = [buffer.add(n, n) for n in (12, 13, 14, 15)]
    assert released == [[], [], [12, 13, 14], [15]]
    assert buffer.lost == 1
    assert buffer.add(11, 11) == []
    assert buffer.late == 1


def test_a_burst_of_losses():
    out, buffer = feed([*range(50), *range(60, 100)])
    assert out == [*range(50), *range(60, 100)]
    assert buffer.lost == 10


def test_wrap_around():
    out, buffer = feed([65533, 65534, 65536, 65535, 65537, 65538])
    assert out == [65533, 65534, 65535, 65536, 65537, 65538]
    assert buffer.lost == 0


def test_a_sender_that_starts_anew():
    buffer: AudioBuffer[int] = AudioBuffer()
    assert buffer.add(100, 1) == [1]
    assert buffer.add(102, 2) == []
    assert buffer.add(102 + RESTART_PACKETS, 3) == [2, 3]
    assert buffer.add(5000, 4) == [4]
    assert buffer.add(20, 5) == [5]


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
    out, buffer = feed(numbers)
    tail: AudioBuffer[int] = buffer
    assert out == sorted(set(out))
    assert set(out) <= sent
    missing = len(sent) - len(out)
    assert missing <= tail.late + REORDER_PACKETS
