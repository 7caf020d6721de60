"""Two machines over a delayed channel always agree, whatever happens when."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xnb.engine.negotiation import (
    MAX_BUFFERED_CANDIDATES,
    Accepted,
    AddCandidate,
    ApplyAnswer,
    ApplyOffer,
    Close,
    Ignored,
    LocalAnswer,
    LocalOffer,
    MakeAnswer,
    MakeOffer,
    Negotiation,
    NegotiationNeeded,
    NegotiationState,
    RemoteAnswer,
    RemoteCandidate,
    RemoteOffer,
    Rollback,
    SendAnswer,
    SendOffer,
)

S = NegotiationState


class Connection:
    """A peer connection's signaling state (JSEP, RFC 8829 section 3.2), strict."""

    def __init__(self) -> None:
        self.state = "stable"
        self.local: str | None = None
        self.remote: str | None = None
        self.pending = ""
        self.candidates: list[str] = []

    def set_local_offer(self, sdp: str) -> None:
        assert self.state == "stable", f"offer made in {self.state}"
        self.state, self.pending = "have-local-offer", sdp

    def rollback(self) -> None:
        assert self.state == "have-local-offer", f"rollback in {self.state}"
        self.state = "stable"

    def set_remote_offer(self, sdp: str) -> None:
        assert self.state in ("stable", "have-remote-offer"), f"remote offer in {self.state}"
        self.state, self.pending = "have-remote-offer", sdp

    def set_local_answer(self, sdp: str) -> None:
        assert self.state == "have-remote-offer", f"answer made in {self.state}"
        assert sdp == f"answer to {self.pending}"
        self.state, self.local, self.remote = "stable", sdp, self.pending

    def set_remote_answer(self, sdp: str) -> None:
        assert self.state == "have-local-offer", f"remote answer in {self.state}"
        assert sdp == f"answer to {self.pending}", "an answer to another offer"
        self.state, self.local, self.remote = "stable", self.pending, sdp

    def add_candidate(self, candidate: str) -> None:
        assert self.remote is not None or self.state == "have-remote-offer"
        described = self.pending if self.state == "have-remote-offer" else self.remote
        assert candidate.split("|")[1] == described, "a candidate of another description"
        self.candidates.append(candidate)


class Side:
    """Machine, connection and a driver that does one action at a time, when told."""

    def __init__(self, name: str, *, polite: bool, caller: bool) -> None:
        self.name = name
        self.machine = Negotiation(polite=polite, offers_first=caller)
        self.pc = Connection()
        self.todo: deque[Any] = deque()
        self.inbox: deque[Any] = deque()
        self.peer: Side
        self.offers = 0
        self.ignored: list[str] = []

    def feed(self, event: Any) -> None:
        actions = self.machine.feed(event)
        for action in actions[:-1]:
            assert not isinstance(action, MakeOffer | MakeAnswer), "Make* must come last"
        self.todo.extend(actions)

    def act(self) -> None:
        action = self.todo.popleft()
        match action:
            case MakeOffer():
                self.offers += 1
                sdp = f"offer {self.offers} of {self.name}"
                self.pc.set_local_offer(sdp)
                self.feed(LocalOffer(sdp))
            case MakeAnswer():
                sdp = f"answer to {self.pc.pending}"
                self.pc.set_local_answer(sdp)
                self.feed(LocalAnswer(sdp))
            case Rollback():
                self.pc.rollback()
            case ApplyOffer(sdp=sdp):
                self.pc.set_remote_offer(sdp)
            case ApplyAnswer(sdp=sdp):
                self.pc.set_remote_answer(sdp)
            case AddCandidate(candidate=candidate):
                self.pc.add_candidate(candidate)
            case SendOffer(sdp=sdp):
                self.peer.inbox.append(RemoteOffer(sdp))
                self.peer.inbox.append(RemoteCandidate(f"{self.name}|{sdp}", "0", 0))
            case SendAnswer(sdp=sdp):
                self.peer.inbox.append(RemoteAnswer(sdp))
                self.peer.inbox.append(RemoteCandidate(f"{self.name}|{sdp}", "0", 0))
            case Ignored(why=why):
                self.ignored.append(why)

    def hear(self) -> None:
        self.feed(self.inbox.popleft())


def pair(*, caller_polite: bool = False) -> tuple[Side, Side]:
    caller = Side("caller", polite=caller_polite, caller=True)
    callee = Side("callee", polite=not caller_polite, caller=False)
    caller.peer, callee.peer = callee, caller
    return caller, callee


def drain(*sides: Side, limit: int = 2000) -> None:
    for _ in range(limit):
        busy = [s for s in sides if s.todo or s.inbox]
        if not busy:
            return
        for side in busy:
            if side.todo:
                side.act()
            elif side.inbox:
                side.hear()
    raise AssertionError("the two sides never come to rest")


def assert_agreed(a: Side, b: Side) -> None:
    for side in (a, b):
        assert side.machine.state is S.STABLE
        assert side.pc.state == "stable"
        assert side.pc.local is not None
    assert a.pc.local == b.pc.remote
    assert a.pc.remote == b.pc.local
    # The last description's candidate arrived too.
    assert a.pc.candidates[-1] == f"{b.name}|{b.pc.local}"
    assert b.pc.candidates[-1] == f"{a.name}|{a.pc.local}"


STEPS = st.lists(
    st.tuples(st.sampled_from(["act", "hear", "need", "accept"]), st.booleans()), max_size=80
)


@settings(max_examples=600, deadline=None)
@given(steps=STEPS, caller_polite=st.booleans(), start=st.booleans())
def test_every_interleaving_converges(
    steps: list[tuple[str, bool]], caller_polite: bool, start: bool
) -> None:
    caller, callee = pair(caller_polite=caller_polite)
    if start:
        caller.feed(NegotiationNeeded())
    wanted = start
    for what, is_caller in steps:
        side = caller if is_caller else callee
        if what == "act" and side.todo:
            side.act()
        elif what == "hear" and side.inbox:
            side.hear()
        elif what == "need":
            wanted = wanted or is_caller
            side.feed(NegotiationNeeded())
        elif what == "accept" and side is callee:
            side.feed(Accepted())
    drain(caller, callee)
    callee.feed(Accepted())
    drain(caller, callee)
    if wanted:
        assert_agreed(caller, callee)
    else:
        assert callee.machine.state is S.NEED_OFFER
        assert caller.machine.state is S.STABLE


@settings(max_examples=300, deadline=None)
@given(
    needs=st.lists(st.booleans(), min_size=2, max_size=12),
    order=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=100),
    caller_polite=st.booleans(),
)
def test_glare_converges_and_nobody_loses_an_offer(
    needs: list[bool], order: list[tuple[bool, bool]], caller_polite: bool
) -> None:
    caller, callee = pair(caller_polite=caller_polite)
    callee.feed(Accepted())
    caller.feed(NegotiationNeeded())
    drain(caller, callee)
    before = {s.name: s.offers for s in (caller, callee)}
    waiting = list(needs)
    for acts, is_caller in order:
        side = caller if is_caller else callee
        if waiting:
            (caller if waiting.pop() else callee).feed(NegotiationNeeded())
        if acts and side.todo:
            side.act()
        elif side.inbox:
            side.hear()
    drain(caller, callee)
    assert_agreed(caller, callee)
    fed = needs[len(waiting) :]
    for side, wanted in ((caller, any(fed)), (callee, not all(fed))):
        if wanted:
            # A wish is met by at least one offer of that side that the other one answered.
            assert side.offers > before[side.name]
            assert any(c.startswith(f"{side.name}|offer") for c in side.peer.pc.candidates)


@settings(max_examples=400, deadline=None)
@given(
    events=st.lists(
        st.one_of(
            st.just(NegotiationNeeded()),
            st.just(Accepted()),
            st.just(Close()),
            st.builds(LocalOffer, st.text(max_size=3)),
            st.builds(LocalAnswer, st.text(max_size=3), st.booleans()),
            st.builds(RemoteOffer, st.text(max_size=3)),
            st.builds(RemoteAnswer, st.text(max_size=3)),
            st.builds(RemoteCandidate, st.text(max_size=3)),
        ),
        max_size=60,
    ),
    polite=st.booleans(),
    caller=st.booleans(),
)
def test_no_input_sequence_breaks_the_rules(events: list[Any], polite: bool, caller: bool) -> None:
    machine = Negotiation(polite=polite, offers_first=caller)
    closed = False
    described = False
    accepted = caller
    for event in events:
        before = machine.state
        actions = machine.feed(event)
        if closed:
            assert [type(a) for a in actions] == [Ignored]
        closed = closed or isinstance(event, Close)
        accepted = accepted or (isinstance(event, Accepted) and not closed)
        for action in actions:
            if isinstance(action, ApplyOffer | ApplyAnswer):
                described = True
            if isinstance(action, AddCandidate):
                assert described, "a candidate before any remote description"
            if isinstance(action, ApplyAnswer):
                assert before is S.HAVE_LOCAL_OFFER
            if isinstance(action, Rollback):
                assert polite
            if isinstance(action, SendOffer | SendAnswer | MakeOffer):
                assert accepted, "something left before the user accepted"
        assert machine.state is S.CLOSED or not closed
        assert machine.may_send == (accepted and not closed)


def test_first_exchange_step_by_step() -> None:
    caller = Negotiation(polite=False, offers_first=True)
    callee = Negotiation(polite=True, offers_first=False)
    assert (caller.state, callee.state) == (S.STABLE, S.NEED_OFFER)
    assert caller.feed(NegotiationNeeded()) == [MakeOffer()]
    assert caller.state is S.NEED_RENEGOTIATION
    assert caller.feed(LocalOffer("o")) == [SendOffer("o")]
    assert caller.state is S.HAVE_LOCAL_OFFER
    assert callee.feed(RemoteCandidate("c", "0", 0)) == []
    assert callee.feed(RemoteOffer("o")) == [
        ApplyOffer("o"),
        AddCandidate("c", "0", 0),
        MakeAnswer(),
    ]
    assert callee.state is S.HAVE_REMOTE_OFFER
    assert callee.feed(LocalAnswer("a")) == []
    assert callee.state is S.STABLE
    assert not callee.may_send
    assert callee.feed(Accepted()) == [SendAnswer("a")]
    assert caller.feed(RemoteAnswer("a")) == [ApplyAnswer("a")]
    assert caller.state is S.STABLE


def test_callee_ignores_everything_until_the_offer() -> None:
    callee = Negotiation(polite=True, offers_first=False)
    for event in (NegotiationNeeded(), RemoteAnswer("a"), LocalOffer("x"), LocalAnswer("y")):
        (action,) = callee.feed(event)
        assert isinstance(action, Ignored)
    assert callee.state is S.NEED_OFFER


def test_impolite_side_ignores_the_offer_and_its_candidates() -> None:
    machine = Negotiation(polite=False, offers_first=True)
    machine.feed(NegotiationNeeded())
    machine.feed(LocalOffer("mine"))
    assert isinstance(machine.feed(RemoteOffer("theirs"))[0], Ignored)
    assert isinstance(machine.feed(RemoteCandidate("of theirs"))[0], Ignored)
    assert machine.state is S.HAVE_LOCAL_OFFER
    assert machine.feed(RemoteAnswer("a")) == [ApplyAnswer("a")]
    assert machine.feed(RemoteCandidate("good")) == [AddCandidate("good")]


def test_polite_side_gives_way_and_offers_again() -> None:
    machine = Negotiation(polite=True, offers_first=True)
    machine.feed(NegotiationNeeded())
    machine.feed(LocalOffer("mine"))
    assert machine.feed(RemoteOffer("theirs")) == [Rollback(), ApplyOffer("theirs"), MakeAnswer()]
    assert machine.feed(LocalAnswer("a")) == [SendAnswer("a"), MakeOffer()]


def test_polite_side_does_not_offer_again_when_the_answer_covered_it() -> None:
    machine = Negotiation(polite=True, offers_first=True)
    machine.feed(NegotiationNeeded())
    machine.feed(LocalOffer("mine"))
    machine.feed(RemoteOffer("theirs"))
    assert machine.feed(LocalAnswer("a", settled=True)) == [SendAnswer("a")]
    assert machine.state is S.STABLE


def test_an_offer_still_being_made_is_superseded() -> None:
    machine = Negotiation(polite=True, offers_first=True)
    machine.feed(NegotiationNeeded())
    assert machine.feed(RemoteOffer("theirs"))[0] == Rollback()
    assert isinstance(machine.feed(LocalOffer("late"))[0], Ignored)
    assert SendAnswer("a") in machine.feed(LocalAnswer("a"))


def test_a_second_offer_replaces_the_answer_held_for_the_first() -> None:
    callee = Negotiation(polite=True, offers_first=False)
    callee.feed(RemoteOffer("one"))
    callee.feed(LocalAnswer("to one"))
    callee.feed(RemoteOffer("two"))
    callee.feed(LocalAnswer("to two"))
    assert callee.feed(Accepted()) == [SendAnswer("to two")]


def test_no_answer_to_a_replaced_offer_is_ever_sent() -> None:
    callee = Negotiation(polite=True, offers_first=False)
    callee.feed(RemoteOffer("one"))
    callee.feed(LocalAnswer("to one"))
    callee.feed(RemoteOffer("two"))
    assert callee.feed(Accepted()) == []
    assert callee.feed(LocalAnswer("to two")) == [SendAnswer("to two")]
    callee.feed(RemoteOffer("three"))
    callee.feed(RemoteOffer("four"))
    assert isinstance(callee.feed(LocalAnswer("to three"))[0], Ignored)
    assert callee.feed(LocalAnswer("to four")) == [SendAnswer("to four")]


def test_a_wish_before_accepting_survives_a_new_offer() -> None:
    callee = Negotiation(polite=True, offers_first=False)
    callee.feed(RemoteOffer("one"))
    callee.feed(LocalAnswer("to one"))
    assert callee.feed(NegotiationNeeded()) == []
    assert callee.state is S.NEED_RENEGOTIATION
    callee.feed(RemoteOffer("two"))
    callee.feed(LocalAnswer("to two"))
    assert callee.feed(Accepted()) == [SendAnswer("to two"), MakeOffer()]


def test_candidate_buffer_is_bounded() -> None:
    callee = Negotiation(polite=True, offers_first=False)
    for n in range(MAX_BUFFERED_CANDIDATES + 5):
        callee.feed(RemoteCandidate(str(n)))
    assert callee.dropped_candidates == 5
    added = [a for a in callee.feed(RemoteOffer("o")) if isinstance(a, AddCandidate)]
    assert [a.candidate for a in added] == [str(n) for n in range(MAX_BUFFERED_CANDIDATES)]


@pytest.mark.parametrize(
    "value",
    [
        LocalOffer("sdp-secret"),
        RemoteAnswer("sdp-secret"),
        SendOffer("sdp-secret"),
        ApplyOffer("sdp-secret"),
        RemoteCandidate("sdp-secret"),
        AddCandidate("sdp-secret"),
    ],
)
def test_reprs_hide_descriptions(value: object) -> None:
    assert "sdp-secret" not in repr(value)
