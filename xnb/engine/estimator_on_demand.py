"""aiortc's bandwidth estimator, made when it is used first."""

from __future__ import annotations

from typing import Any

from aiortc.rate import RemoteBitrateEstimator


class EstimatorOnDemand(RemoteBitrateEstimator):
    """aiortc's estimator, whose 1000 buckets are made when it is first used.

    Each video receiver makes one, also when nothing ever asks it: 0.5 ms of a call's setup.
    """

    def __init__(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if vars(self) or name.startswith("__"):
            raise AttributeError(name)
        super().__init__()
        return getattr(self, name)
