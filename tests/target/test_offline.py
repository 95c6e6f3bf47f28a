from __future__ import annotations

import socket
import sys
import urllib.request

import pytest
import torch
from torch import nn
from torch.hub import load_state_dict_from_url
from torch.utils.model_zoo import load_url

from rfcheck.target.offline import NetworkRefusedError, NoWeights, Refusals, offline

URL = "https://weights.invalid/net.pth"


def test_weights_are_not_fetched_under_any_name(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    refusals = Refusals()
    with offline(refusals):
        for fetch in (load_state_dict_from_url, torch.hub.load_state_dict_from_url, load_url):
            assert isinstance(fetch(URL, progress=False), NoWeights)
    assert refusals.skipped_weights
    assert refusals.hosts == []
    assert list(tmp_path.iterdir()) == []


def edited(weights):
    """What fine-tuning code does with weights before it loads them."""
    weights = weights["model"]
    weights.pop("fc.weight")
    del weights["fc.bias"]
    weights["conv.weight"] = weights["conv.weight"].sum(1, keepdim=True) / 3
    weights["head"] = torch.cat([weights["head"], weights["head"]], 1)
    return {name.removeprefix("module."): value for name, value in weights.items() if "aux" not in name}


@pytest.mark.parametrize("edit", [lambda weights: weights, edited, lambda weights: weights.get("state_dict", weights)])
def test_loading_weights_that_were_not_read_changes_nothing(edit):
    model = nn.Linear(2, 2)
    before = model.weight.clone()
    with offline(Refusals()):
        assert not any(model.load_state_dict(edit(load_state_dict_from_url(URL))))
    assert torch.equal(model.weight, before)


def test_weights_of_ones_own_are_loaded():
    model, other = nn.Linear(2, 2), nn.Linear(2, 2)
    with offline(Refusals()):
        model.load_state_dict(other.state_dict())
    assert torch.equal(model.weight, other.weight)


def connect_by_number():
    with socket.socket() as own:
        own.connect(("192.0.2.1", 80))


@pytest.mark.parametrize(
    "connect",
    [
        lambda: urllib.request.urlopen(URL),
        lambda: socket.create_connection(("weights.invalid", 443)),
        connect_by_number,
    ],
)
def test_connections_are_refused(connect):
    refusals = Refusals()
    with offline(refusals), pytest.raises(OSError, match="rfcheck opens no network connection") as caught:
        connect()
    reason = getattr(caught.value, "reason", caught.value)
    assert isinstance(reason, NetworkRefusedError)
    assert refusals.hosts in (["weights.invalid"], ["192.0.2.1"])


def test_this_machine_may_be_spoken_to():
    with socket.create_server(("127.0.0.1", 0)) as server, offline(Refusals()):
        socket.create_connection(server.getsockname()).close()


def test_a_library_that_is_imported_meanwhile_fetches_nothing(monkeypatch):
    pytest.importorskip("timm")
    for name in [name for name in sys.modules if name == "timm" or name.startswith("timm.")]:
        monkeypatch.delitem(sys.modules, name)
    refusals = Refusals()
    with offline(refusals):
        import timm

        model = timm.create_model("resnet18", pretrained=True, num_classes=7)
    assert model.fc.out_features == 7
    assert refusals.skipped_weights
    assert refusals.hosts == []


def test_nothing_stays_changed():
    def state():
        return (
            torch.hub.load_state_dict_from_url.__code__,
            nn.Module.load_state_dict,
            socket.getaddrinfo,
            vars(socket.socket).get("connect"),
            list(sys.meta_path),
        )

    before = state()
    with offline(Refusals()), offline(Refusals()):
        assert state() != before
    with pytest.raises(ZeroDivisionError), offline(Refusals()), offline(Refusals()):
        _ = 1 / 0
    assert state() == before


def test_what_was_refused_inside_is_known_outside():
    outer, inner = Refusals(), Refusals()
    with offline(outer):
        with offline(inner):
            load_state_dict_from_url(URL)
        assert nn.Linear(1, 1).load_state_dict({}).missing_keys == []
    assert outer.skipped_weights
