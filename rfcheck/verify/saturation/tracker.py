"""Saturation of the layers of a model while it is trained or evaluated, in any training loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from types import TracebackType
from typing import Any, get_args

import torch
from torch import Tensor, nn

from rfcheck.errors import SettingsError, VerifyError
from rfcheck.verify.observing import Observer
from rfcheck.verify.recipe import DELTA
from rfcheck.verify.records import LayerSaturation, Mode
from rfcheck.verify.saturation.covariance import RunningCovariance
from rfcheck.verify.saturation.everywhere import of_all_processes
from rfcheck.verify.saturation.spectrum import mean_saturation, saturation_of

SPREAD = 16
"""Forward passes, at least, over which the rows of max_samples are spread."""


class SaturationTracker:
    """Measures how much of its feature space each layer fills, as long as the context lasts.

        with SaturationTracker(model) as tracker:
            train_one_epoch(model)
            print(tracker.mean())

    A row is what a layer puts out at one position of a feature map, of a sequence, or for one image. Rows of training and of
    evaluation mode are kept apart. The model is left as it was, whatever happens; what gradient checkpointing computes again counts
    once.

    Args:
        model: to observe; may be compiled, or wrapped to run on several devices.
        delta: share of the variance that the counted directions explain, above 0 and at most 1.
        layers: names of those to observe; None for all convolutions, linear layers and LSTMs.
        log_interval: of so many calls of a layer in a mode the first is observed; may be changed at any time.
        max_samples: rows of a layer and mode to take at most; None for all. A pass gives at most a sixteenth of them, in equal
            distances.
        device: where covariances are kept; None for that of the outputs.

    Raises:
        SettingsError: if an argument is none of these.
        VerifyError: if a layer does not exist, or the model cannot be observed.

    Source: Richter 2022, sections 6.1.3 and 8.1.
    """

    def __init__(
        self,
        model: nn.Module,
        delta: float = DELTA,
        *,
        layers: Collection[str] | None = None,
        log_interval: int = 1,
        max_samples: int | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        if isinstance(delta, bool) or not isinstance(delta, int | float) or not 0 < delta <= 1:
            raise SettingsError(f"delta is a share of the variance, above 0 and at most 1, not {delta!r}")
        if isinstance(layers, str):
            raise SettingsError(f"layers takes several names; write [{layers!r}] for one")
        self.delta = float(delta)
        self.log_interval = log_interval
        self._max_samples = None if max_samples is None else _positive("max_samples", max_samples)
        self._device = device
        self._covariances: dict[Mode, dict[str, RunningCovariance]] = {"train": {}, "eval": {}}
        self._calls: dict[Mode, Counter[str]] = {"train": Counter(), "eval": Counter()}
        self._taken: dict[Mode, Counter[str]] = {"train": Counter(), "eval": Counter()}
        self._observer = Observer(model, self._receive, layers)

    def __enter__(self) -> SaturationTracker:
        """Begin to observe; what was measured in an earlier context stays.

        Raises:
            VerifyError: if it observes already.
        """
        self._observer.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._observer.__exit__(kind, error, traceback)

    @property
    def log_interval(self) -> int:
        """Of so many calls of a layer in a mode the first is observed."""
        return self._log_interval

    @log_interval.setter
    def log_interval(self, value: int) -> None:
        self._log_interval = _positive("log_interval", value)

    def results(self, mode: Mode = "train", *, shared: bool = True) -> tuple[LayerSaturation, ...]:
        """Saturation of every layer that was called in a mode, in the order of the first calls.

        Args:
            mode: in which the layers were called.
            shared: whether torch.distributed's processes count their rows together, for which each of them has to call this; where
                only one of them evaluates, False keeps it from waiting for the others.
        """
        mode = _known(mode)
        covariances = of_all_processes(self._covariances[mode]) if shared else self._covariances[mode]
        return tuple(saturation_of(layer, covariance, self.delta) for layer, covariance in covariances.items())

    def mean(self, mode: Mode = "train") -> float:
        """s_mu, the mean of `results` over the layers; nan before the first forward pass."""
        return mean_saturation(layer.saturation for layer in self.results(mode))

    def reset(self, mode: Mode | None = None) -> None:
        """Forget what was measured in a mode; None for both."""
        for one in get_args(Mode) if mode is None else (_known(mode),):
            for measured in (self._covariances, self._calls, self._taken):
                measured[one].clear()

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on to bitwise the same numbers: copied tensors, numbers, strings, None."""
        return {
            mode: {
                "calls": dict(self._calls[mode]),
                "taken": dict(self._taken[mode]),
                "covariances": {name: covariance.state_dict() for name, covariance in self._covariances[mode].items()},
            }
            for mode in get_args(Mode)
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; what was measured before is forgotten."""
        for mode in get_args(Mode):
            self._calls[mode] = Counter(state[mode]["calls"])
            self._taken[mode] = Counter(state[mode]["taken"])
            self._covariances[mode] = {}
            for name, saved in state[mode]["covariances"].items():
                covariance = RunningCovariance(saved["features"], self._device)
                covariance.load_state_dict(saved)
                self._covariances[mode][name] = covariance

    def _receive(self, layer: str, module: nn.Module, output: Tensor) -> None:
        mode: Mode = "train" if module.training else "eval"
        calls = self._calls[mode][layer]
        self._calls[mode][layer] += 1
        if calls % self._log_interval:
            return
        rows = _rows(module, output)
        if self._max_samples is not None:
            rows = self._thinned(rows, mode, layer)
        covariances = self._covariances[mode]
        if layer not in covariances:
            covariances[layer] = RunningCovariance(rows.shape[-1], self._device)
        try:
            covariances[layer].update(rows)
        except VerifyError as error:
            raise VerifyError(f"layer {layer!r} cannot be measured: {error}; leave it out of layers") from None

    def _thinned(self, rows: Tensor, mode: Mode, layer: str) -> Tensor:
        """Rows in equal distances: no more than a pass may give, and than are left to take."""
        assert self._max_samples is not None
        total = rows.numel() // rows.shape[-1]
        take = min(total, -(-self._max_samples // SPREAD), self._max_samples - self._taken[mode][layer])
        self._taken[mode][layer] += take
        index = torch.arange(take, device=rows.device) * total // max(take, 1)
        return rows.reshape(-1, rows.shape[-1])[index]


def _rows(module: nn.Module, output: Tensor) -> Tensor:
    """A layer's output with the features last."""
    if isinstance(module, nn.modules.conv._ConvNd):
        return output.movedim(-1 - len(module.kernel_size), -1)
    return output


def _known(mode: Mode) -> Mode:
    if mode not in get_args(Mode):
        raise SettingsError(f"mode is 'train' or 'eval', not {mode!r}")
    return mode


def _positive(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SettingsError(f"{name} is a positive number, not {value!r}")
    return value
