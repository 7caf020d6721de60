"""A path's losses, remembered for a while."""

from __future__ import annotations

from xnb.engine.loss_memory import HOLD_S, LossMemory


def test_one_lost_packet_now_and_then_is_no_lossy_path():
    memory = LossMemory(lambda: 0.0)
    for share in (0.02, 0.0, 0.02, 0.0, 0.02):
        memory.report(share)
    assert not memory.is_lossy


def test_loss_is_remembered_for_a_while_and_then_forgotten():
    now = [0.0]
    memory = LossMemory(lambda: now[0])
    memory.report(0.1)
    assert memory.is_lossy
    now[0] = HOLD_S - 1
    assert memory.is_lossy
    memory.report(0.0)
    now[0] = HOLD_S + 1
    assert memory.is_lossy  # the smoothed share was still above the limit then
    for _ in range(10):
        memory.report(0.0)
    now[0] += HOLD_S
    assert not memory.is_lossy
