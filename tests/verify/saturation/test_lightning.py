from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from rfcheck.errors import SettingsError
from rfcheck.verify import SaturationCallback, SaturationTracker

lightning = importlib.import_module("lightning.pytorch")

# Lightning uses what torch is phasing out, and advises on workers and loggers
pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("UserWarning", "DeprecationWarning", "FutureWarning")]


class Module(lightning.LightningModule):
    """Calls its network as most do: not through a forward of its own."""

    def __init__(self, fails_at: int | None = None):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(8 * 36, 3))
        self.fails_at = fails_at
        self.seen: list[dict[str, float]] = []

    def training_step(self, batch, index):
        if index == self.fails_at:
            raise RuntimeError("stop")
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

    def validation_step(self, batch, index):
        self.net(batch[0])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.0)


def loader() -> DataLoader:
    generator = torch.Generator().manual_seed(0)
    return DataLoader(TensorDataset(torch.randn(24, 3, 8, 8, generator=generator), torch.arange(24) % 3), batch_size=6)


def fit(module: Module, callback, epochs: int = 1, **options):
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=epochs, callbacks=[callback], logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, **options,
    )  # fmt: skip
    trainer.fit(module, loader(), loader())
    return trainer


def hooks(module: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules())


@pytest.mark.parametrize("epochs", [1, 2])
def test_logs_what_the_tracker_measures(epochs):
    module = Module()
    logged = fit(module, SaturationCallback(delta=0.9), epochs).callback_metrics
    with SaturationTracker(module.net, 0.9) as tracker:
        for images, _ in loader():
            module.net.train()(images)
            module.net.eval()(images)
    expected = {}
    for prefix, mode in (("saturation", "train"), ("val_saturation", "eval")):
        expected |= {f"{prefix}/net.{layer.layer}": layer.saturation for layer in tracker.results(mode)}
        expected[f"{prefix}/mean"] = tracker.mean(mode)
    assert set(expected) == {
        f"{prefix}/{name}" for prefix in ("saturation", "val_saturation") for name in ("net.0", "net.3", "mean")
    }
    assert {name: float(value) for name, value in logged.items()} == pytest.approx(expected)
    assert hooks(module) == 0


def test_leaves_the_model_when_training_raises():
    module = Module(fails_at=2)
    callback = SaturationCallback(log_interval=2)
    with pytest.raises(RuntimeError, match="^stop$"):
        fit(module, callback)
    assert hooks(module) == 0
    module.fails_at = None
    assert "saturation/mean" in fit(module, callback).callback_metrics
    assert hooks(module) == 0


def test_wrong_settings_are_told_when_training_begins():
    with pytest.raises(SettingsError, match=r"^log_interval is a positive number, not 0$"):
        fit(Module(), SaturationCallback(log_interval=0))


def test_goes_on_in_the_middle_of_an_epoch():
    """What a checkpoint holds is measured on."""
    module, (half, rest) = Module(), (list(loader())[:2], list(loader())[2:])

    def measure(callback, batches):
        callback.on_fit_start(None, module)
        for images, _ in batches:
            module.net(images)
        return callback

    state = measure(SaturationCallback(), half).state_dict()
    resumed = SaturationCallback()
    resumed.load_state_dict(state)
    measure(resumed, rest)
    assert resumed._tracker.results() == measure(SaturationCallback(), half + rest)._tracker.results()


def test_is_a_callback_of_the_package_in_use():
    assert issubclass(SaturationCallback, lightning.Callback)
    script = "import pytorch_lightning; from rfcheck.verify import SaturationCallback; print(issubclass(SaturationCallback, pytorch_lightning.Callback))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


def test_says_what_to_install_where_there_is_none():
    script = """
import sys
sys.modules.update({"lightning": None, "lightning.pytorch": None, "pytorch_lightning": None})
from rfcheck.errors import VerifyError
try:
    from rfcheck.verify import SaturationCallback
except VerifyError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (
        done.stdout.strip()
        == "SaturationCallback needs Lightning; install lightning, or use SaturationTracker in a loop of your own"
    )
