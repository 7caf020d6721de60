"""A two-way call over a network that loses 2, 5, 10 and 20 % at 50 ms round trip."""

from __future__ import annotations

import statistics
import sys
from typing import Any

from . import clip
from .calls import Scene, job, run
from .harness import (
    BadRun,
    Missing,
    Options,
    Record,
    Target,
    figure,
    in_turn,
    main,
    need_peer,
    workplace,
)
from .quality import need_pesq, speech_quality
from .relay import Relay

SHARES = (0.02, 0.05, 0.10, 0.20)
QUICK_SHARES = (0.05, 0.10)
ONE_WAY_S = 0.025
HALVED = (0.05, 0.10)
"""Where ours may lose at most half of what the peer conceals."""
RECOGNISABLE = 0.25
"""How alike the loudness of speech must run, so that it is surely the speech that was sent."""


def measure(options: Options) -> list[Record]:
    """Sound lost, seconds of picture frozen, and how good the speech sounds."""
    need_peer()
    rated = True
    try:
        need_pesq()
    except Missing as error:
        rated = False
        print(f"without the quality of sound: {error}")
    records = []
    for share in QUICK_SHARES if options.quick else SHARES:
        records += _at(share, options, rated)
    return records


def _at(share: float, options: Options, rated: bool) -> list[Record]:
    with workplace() as folder:
        scene = Scene(folder)
        speech = clip.speech()
        # The same seeds for both sides: as far as they send alike, they lose alike.
        seeds = {"ours": 0, "peer": 0}

        def one(side: str) -> dict[str, Any]:
            seeds[side] += 1
            with Relay(seed=seeds[side]) as relay:
                work = job(
                    scene,
                    seconds=max(12.0, options.seconds(24)),
                    warm_s=4 if options.quick else 8,
                    capture="during",
                    relay=relay.ports,
                    video=scene.video,
                    **scene.speech(),
                )

                def worsen(mark: str) -> None:
                    if mark == "connected":
                        relay.worsen(loss=share, delay_s=ONE_WAY_S)

                result: dict[str, Any] = run(side, work, on_mark=worsen).result
                counts = relay.close()
            lost = sum(counts["lost"]) / sum(counts["came"])
            if abs(lost - share) > 0.3 * share:
                raise BadRun(f"the relay lost {lost:.1%} instead of {share:.0%}")
            heard = [scene.heard(index) for index in range(2)]
            for samples in heard:
                if clip.heard_share(samples, speech) < RECOGNISABLE:
                    raise BadRun("what was heard is not what was said")
            if not all(got["pictures"] > got["unreadable"] for got in result["video"]):
                raise BadRun("no picture that was sent came through")
            if rated:
                result["score"] = statistics.fmean(speech_quality(one, speech) for one in heard)
            return result

        ours, peer = in_turn(options.runs, lambda: one("ours"), lambda: one("peer"))

    def lost(results: list[dict[str, Any]]) -> list[float]:
        return [100 * got["audio_lost"] for got in results]

    def frozen(results: list[dict[str, Any]]) -> list[float]:
        return [
            statistics.fmean(got["frozen_s"] for got in one["video"]) / one["wall_s"] * 60
            for one in results
        ]

    name = f"{share:.0%} loss"
    records = [
        figure(
            f"{name}: sound neither received nor recovered",
            "%",
            lost(ours),
            lost(peer),
            Target(0.5 if share in HALVED else 1.0),
        ),
        figure(f"{name}: picture frozen", "s/min", frozen(ours), frozen(peer), Target(1.0)),
    ]
    if rated:
        records.append(
            figure(
                f"{name}: quality of speech (PESQ)",
                "MOS",
                [got["score"] for got in ours],
                [got["score"] for got in peer],
                Target(1.0, at_least=True),
            )
        )
    return records


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
