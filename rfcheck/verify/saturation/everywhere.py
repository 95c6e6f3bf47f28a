"""Covariances over all processes of a distributed training."""

from __future__ import annotations

from collections.abc import Mapping

from torch import distributed

from rfcheck.verify.saturation.covariance import RunningCovariance


def of_all_processes(covariances: Mapping[str, RunningCovariance]) -> dict[str, RunningCovariance]:
    """Those of the rows of all processes, by layer; without torch.distributed those of this process.

    Every process has to call this. A layer may be missing in some, as where one had no batch to evaluate; the
    order is that of the first process, followed by what only others have.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return dict(covariances)
    features: list[dict[str, int]] = [{} for _ in range(distributed.get_world_size())]
    distributed.all_gather_object(features, {name: covariance.features for name, covariance in covariances.items()})
    everywhere = {name: size for one in features for name, size in one.items()}
    return {name: (covariances.get(name) or RunningCovariance(size)).all_reduce() for name, size in everywhere.items()}
