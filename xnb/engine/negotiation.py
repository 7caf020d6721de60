"""Who offers, who answers, and what happens when both offer at once: a pure state machine.

It follows "perfect negotiation" (W3C WebRTC 1.0, section 10.7) with the roles of PROTOCOL B4:
the caller offers first, the callee ignores everything until it does and holds what it has to say
until the user accepts. It does no I/O: :meth:`Negotiation.feed` takes what happened and returns
what to do.

Rules for the driver:

* Actions are done strictly in the order they were returned, also across calls of ``feed``.
* ``MakeOffer`` and ``MakeAnswer`` are always last in their list. When one is done, its SDP is fed
  back as :class:`LocalOffer` or :class:`LocalAnswer`, each exactly once and in order, even when a
  remote offer came in between: the machine knows which results are superseded.
* Other inputs may be fed at any time, also while actions are still being done.
* When an action fails, feed :class:`Close`.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field

MAX_BUFFERED_CANDIDATES = 256


class NegotiationState(enum.StrEnum):
    """Where the offer/answer exchange stands."""

    STABLE = "stable"
    HAVE_LOCAL_OFFER = "have-local-offer"
    HAVE_REMOTE_OFFER = "have-remote-offer"
    NEED_OFFER = "need-offer"
    NEED_RENEGOTIATION = "need-renegotiation"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class NegotiationNeeded:
    """Input: our tracks or settings changed so that a new offer is wanted."""


@dataclass(frozen=True, slots=True)
class LocalOffer:
    """Input: ``MakeOffer`` is done."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """Input: ``MakeAnswer`` is done.

    Args:
        sdp: The answer.
        settled: The answer already carries all we wanted, so that no offer of our own is needed.
    """

    sdp: str = field(repr=False)
    settled: bool = False


@dataclass(frozen=True, slots=True)
class RemoteOffer:
    """Input: the far end offered."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """Input: the far end answered."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RemoteCandidate:
    """Input: the far end found a candidate."""

    candidate: str = field(repr=False)
    mid: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Input: the user took the call; what was held may go out."""


@dataclass(frozen=True, slots=True)
class Close:
    """Input: the call is over."""


@dataclass(frozen=True, slots=True)
class MakeOffer:
    """Action: create an offer, set it as local description, feed it back."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """Action: take our own offer back (JSEP rollback)."""


@dataclass(frozen=True, slots=True)
class ApplyOffer:
    """Action: set the remote description to this offer."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MakeAnswer:
    """Action: create an answer, set it as local description, feed it back."""


@dataclass(frozen=True, slots=True)
class ApplyAnswer:
    """Action: set the remote description to this answer."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendOffer:
    """Action: send this offer to the far end."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """Action: send this answer to the far end."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AddCandidate:
    """Action: add this remote candidate."""

    candidate: str = field(repr=False)
    mid: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Action: nothing to do; ``why`` is for the trace."""

    why: str


Input = (
    NegotiationNeeded
    | LocalOffer
    | LocalAnswer
    | RemoteOffer
    | RemoteAnswer
    | RemoteCandidate
    | Accepted
    | Close
)
Action = (
    MakeOffer
    | Rollback
    | ApplyOffer
    | MakeAnswer
    | ApplyAnswer
    | SendOffer
    | SendAnswer
    | AddCandidate
    | Ignored
)

_S = NegotiationState


class Negotiation:
    """One side's part of the exchange.

    Args:
        polite: Give way when both offer at once. Exactly one of the two sides must be polite
            (by default the callee).
        offers_first: Whether we are the caller. A callee waits for the first offer, and its
            answer is held until :class:`Accepted`.
    """

    def __init__(self, *, polite: bool, offers_first: bool) -> None:
        self.polite = polite
        self.dropped_candidates = 0
        self._state = _S.STABLE if offers_first else _S.NEED_OFFER
        self._accepted = offers_first
        self._making_offer = False
        self._needed = False
        self._has_remote = False
        self._ignoring = False
        self._superseded_answers = 0
        self._candidates: deque[AddCandidate] = deque()
        self._held_answer: str | None = None

    def __repr__(self) -> str:
        manner = "polite" if self.polite else "impolite"
        return f"Negotiation({self._state.value}, {manner})"

    @property
    def state(self) -> NegotiationState:
        """The current state."""
        return self._state

    @property
    def may_send(self) -> bool:
        """Whether the driver may send its own signals too (candidates, media status)."""
        return self._accepted and self._state is not _S.CLOSED

    def feed(self, event: Input) -> list[Action]:
        """Take one input; return what to do, in order."""
        if self._state is _S.CLOSED:
            return [Ignored("closed")]
        actions: list[Action] = []
        match event:
            case NegotiationNeeded():
                actions = self._on_needed()
            case LocalOffer(sdp=sdp):
                actions = self._on_local_offer(sdp)
            case LocalAnswer(sdp=sdp, settled=settled):
                actions = self._on_local_answer(sdp, settled)
            case RemoteOffer(sdp=sdp):
                actions = self._on_remote_offer(sdp)
            case RemoteAnswer(sdp=sdp):
                actions = self._on_remote_answer(sdp)
            case RemoteCandidate():
                actions = self._on_candidate(event)
            case Accepted():
                actions = self._on_accepted()
            case Close():
                self._close()
        return actions

    def _on_needed(self) -> list[Action]:
        if self._state is _S.NEED_OFFER:
            return [Ignored("waiting for the caller's offer")]
        if self._state is _S.STABLE or (
            self._state is _S.NEED_RENEGOTIATION and not self._making_offer
        ):
            return self._offer()
        self._needed = True
        return []

    def _offer(self) -> list[Action]:
        """Start an offer, or keep the wish until the call is accepted."""
        self._state = _S.NEED_RENEGOTIATION
        self._needed = False
        if not self._accepted:
            return []
        self._making_offer = True
        return [MakeOffer()]

    def _settle(self) -> list[Action]:
        """Both descriptions are in place; go on to our own offer if one is still wanted."""
        self._state = _S.STABLE
        return self._offer() if self._needed else []

    def _on_local_offer(self, sdp: str) -> list[Action]:
        if not self._making_offer:
            return [Ignored("no offer was asked for, or it gave way to the far end's")]
        self._making_offer = False
        self._state = _S.HAVE_LOCAL_OFFER
        return [SendOffer(sdp)]

    def _on_local_answer(self, sdp: str, settled: bool) -> list[Action]:
        if self._superseded_answers:
            self._superseded_answers -= 1
            return [Ignored("a newer offer came before the answer was ready")]
        if self._state is not _S.HAVE_REMOTE_OFFER:
            return [Ignored("no answer was asked for")]
        if settled:
            self._needed = False
        if not self._accepted:
            self._held_answer = sdp
            return self._settle()
        return [SendAnswer(sdp), *self._settle()]

    def _on_remote_offer(self, sdp: str) -> list[Action]:
        actions: list[Action] = []
        if self._state is _S.HAVE_LOCAL_OFFER or self._making_offer:
            if not self.polite:
                self._ignoring = True
                return [Ignored("both sides offered and ours stands")]
            self._making_offer = False
            self._needed = True
            actions.append(Rollback())
        elif self._state is _S.HAVE_REMOTE_OFFER:
            self._superseded_answers += 1
        elif self._state is _S.NEED_RENEGOTIATION:
            self._needed = True
        self._held_answer = None
        self._state = _S.HAVE_REMOTE_OFFER
        return [*actions, ApplyOffer(sdp), *self._remote_is_set(), MakeAnswer()]

    def _on_remote_answer(self, sdp: str) -> list[Action]:
        if self._state is not _S.HAVE_LOCAL_OFFER:
            return [Ignored("no offer of ours is outstanding")]
        return [ApplyAnswer(sdp), *self._remote_is_set(), *self._settle()]

    def _remote_is_set(self) -> list[Action]:
        self._has_remote = True
        self._ignoring = False
        waiting = list(self._candidates)
        self._candidates.clear()
        return list(waiting)

    def _on_candidate(self, event: RemoteCandidate) -> list[Action]:
        if self._ignoring:
            return [Ignored("it belongs to an offer that was ignored")]
        action = AddCandidate(event.candidate, event.mid, event.index)
        if self._has_remote:
            return [action]
        if len(self._candidates) >= MAX_BUFFERED_CANDIDATES:
            self.dropped_candidates += 1
            return [Ignored("too many candidates before the description")]
        self._candidates.append(action)
        return []

    def _on_accepted(self) -> list[Action]:
        if self._accepted:
            return [Ignored("already accepted")]
        self._accepted = True
        actions: list[Action] = []
        if self._held_answer is not None:
            actions.append(SendAnswer(self._held_answer))
            self._held_answer = None
        if self._state is _S.NEED_RENEGOTIATION:
            actions += self._offer()
        return actions

    def _close(self) -> None:
        self._state = _S.CLOSED
        self._making_offer = self._needed = False
        self._held_answer = None
        self._candidates.clear()
