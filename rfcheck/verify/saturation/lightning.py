"""Saturation in a training by Lightning, by the name of ``lightning`` or of ``pytorch_lightning``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from rfcheck.errors import VerifyError
from rfcheck.verify.recipe import DELTA
from rfcheck.verify.saturation.spectrum import mean_saturation
from rfcheck.verify.saturation.tracker import SaturationTracker

if TYPE_CHECKING:
    import torch

    from rfcheck.verify.records import Mode

PREFIXES: dict[Mode, str] = {"train": "saturation", "eval": "val_saturation"}
"""What the names of logged numbers begin with."""

_HOMES = ("lightning.pytorch", "pytorch_lightning")


def _callback() -> Any:
    """The class of callbacks of the package that is in use, or else of the first one that is installed."""
    for home in sorted(_HOMES, key=lambda home: home not in sys.modules):
        try:
            return importlib.import_module(home).Callback
        except ModuleNotFoundError as error:
            if error.name not in (home, home.partition(".")[0]):
                raise
    raise VerifyError("SaturationCallback needs Lightning; install lightning, or use SaturationTracker in a loop of your own")


class SaturationCallback(_callback()):  # type: ignore[misc]
    """Logs the saturation of each layer and their mean at the end of every epoch.

    The names are ``saturation/<layer>`` and ``saturation/mean`` after training, ``val_saturation/...`` after validation. The
    checkpoints of the trainer hold what is needed to go on in the middle of an epoch.

    Args:
        delta: share of the variance that the counted directions explain.
        log_interval: of so many calls of a layer the first is observed.
        layers: names of those to observe, as they are in the LightningModule; None for all.
        max_samples: rows of a layer to take at most in an epoch; None for all.
        device: where covariances are kept; None for that of the outputs.

    Raises:
        VerifyError: if neither lightning nor pytorch_lightning is installed (on import).
        SettingsError: if an argument is none of these (when the training begins).
    """

    def __init__(
        self,
        delta: float = DELTA,
        log_interval: int = 1,
        *,
        layers: Collection[str] | None = None,
        max_samples: int | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self._settings: dict[str, Any] = {
            "delta": delta,
            "log_interval": log_interval,
            "layers": layers,
            "max_samples": max_samples,
            "device": device,
        }
        self._tracker: SaturationTracker | None = None
        self._saved: dict[str, Any] | None = None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Begin to observe."""
        self._detach()
        self._tracker = SaturationTracker(pl_module, **self._settings).__enter__()
        if self._saved is not None:
            self._tracker.load_state_dict(self._saved)
            self._saved = None

    def on_sanity_check_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Forget the batches of the sanity check."""
        if self._tracker is not None:
            self._tracker.reset("eval")

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Log the saturation of the epoch in training mode."""
        self._log(pl_module, "train")

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Log the saturation of the validation."""
        if not trainer.sanity_checking:
            self._log(pl_module, "eval")

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Leave the model."""
        self._detach()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:  # noqa: ARG002
        """Leave the model."""
        self._detach()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ARG002
        """Leave the model."""
        self._detach()

    def state_dict(self) -> dict[str, Any]:
        """What was measured in the epoch so far."""
        return {} if self._tracker is None else self._tracker.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._saved = state_dict or None

    def _log(self, pl_module: Any, mode: Mode) -> None:
        if self._tracker is None:
            return
        layers = self._tracker.results(mode)
        self._tracker.reset(mode)
        if layers:
            values = {layer.layer: layer.saturation for layer in layers}
            values["mean"] = mean_saturation(values.values())
            pl_module.log_dict(
                {f"{PREFIXES[mode]}/{name}": value for name, value in values.items()}, on_step=False, on_epoch=True, sync_dist=True
            )

    def _detach(self) -> None:
        if self._tracker is not None:
            self._tracker.__exit__(None, None, None)
            self._tracker = None
