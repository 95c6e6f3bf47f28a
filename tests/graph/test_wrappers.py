from __future__ import annotations

import warnings

import pytest
import torch
from accelerate.hooks import AlignDevicesHook, add_hook_to_module
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrizations, prune

from rfcheck import TargetError, analyze
from rfcheck.graph.wrappers import refuse_flattened, take_off_machinery

IMAGE = torch.zeros(2, 3, 16, 16)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """A group of one process."""
    place = tmp_path_factory.mktemp("group") / "store"
    distributed.init_process_group("gloo", init_method=f"file://{place}", rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3))


def step(model: nn.Module) -> None:
    model(IMAGE).sum().backward()


def facts(model: nn.Module) -> list[tuple[object, ...]]:
    return [(layer.r_max, layer.flops, layer.params) for layer in analyze(model, 16).layers]


EXPECTED = [((3, 3), 3 * 4 * 9 * 256, 3 * 4 * 9 + 4), ((5, 5), 4 * 4 * 9 * 14 * 14, 4 * 4 * 9 + 4)]


@pytest.fixture(scope="module")
def sharding(mesh):
    """Older versions of torch shard on a GPU only."""
    model = fully_shard(network(), mesh=mesh)
    try:
        step(model)
    except AttributeError:
        return False
    return True


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("wrap", ["fully_shard", "parts", "group", "distributed", "inner"])
def test_distributed_models_are_analysed_and_go_on_training(mesh, sharding, wrap, trained):
    if wrap in ("fully_shard", "parts", "group") and not sharding:
        pytest.skip("this torch shards on a GPU only")
    model = network()
    if wrap == "fully_shard":
        fully_shard(model, mesh=mesh)
    elif wrap == "parts":
        for layer in (model[0], model[3], model):
            fully_shard(layer, mesh=mesh)
    elif wrap == "group":
        fully_shard([model[0], model[1]], mesh=mesh)
        fully_shard(model, mesh=mesh)
    elif wrap == "distributed":
        model = DistributedDataParallel(model)
    else:
        model = nn.Sequential(DistributedDataParallel(model))
    if trained:
        step(model)
    assert facts(model) == EXPECTED
    for _ in range(2):
        step(model)
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_tensor_parallel_layers_have_their_whole_shape(mesh):
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Flatten(2), nn.Linear(256, 32), nn.Linear(32, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # random operators, of which there are none
        parallelize_module(model, mesh, {"2": ColwiseParallel(), "3": RowwiseParallel()})
    image = torch.zeros(1, 3, 16, 16)
    expected = model(image).shape
    found = [(layer.name, layer.params) for layer in analyze(model, 16).layers]
    assert found == [("0", 3 * 8 + 8), ("2", 256 * 32 + 32), ("3", 32 * 4 + 4)]
    assert model(image).shape == expected


def test_flattened_models_are_refused_and_go_on_training(mesh):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one process shards nothing
        model = nn.Sequential(FullyShardedDataParallel(network(), device_id=torch.device("cpu")))
    message = "^0 is a FullyShardedDataParallel, which keeps parameters in flat pieces without their shapes; analyse the model before it is wrapped$"
    with pytest.raises(TargetError, match=message):
        analyze(model, 16)
    step(model)


def test_a_model_that_is_flattened_itself():
    DeepSpeedEngine = type("DeepSpeedEngine", (nn.Module,), {})
    with pytest.raises(TargetError, match="^the model is a DeepSpeedEngine, "):
        refuse_flattened(DeepSpeedEngine())


def compiled(model: nn.Module) -> nn.Module:
    return torch.compile(model, backend="eager")


def compiled_in_place(model: nn.Module) -> nn.Module:
    model[0].compile(backend="eager")
    return model


def offloaded(model: nn.Module) -> nn.Module:
    weights = {"weight": model[0].weight.detach().clone(), "bias": model[0].bias.detach().clone()}
    add_hook_to_module(model[0], AlignDevicesHook("cpu", offload=True, weights_map=weights))
    model[0].to("meta")
    return model


def parametrised(model: nn.Module) -> nn.Module:
    parametrizations.weight_norm(model[0])
    return model


def old_weight_norm(model: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nn.utils.weight_norm(model[0])
    return model


def spectral(model: nn.Module) -> nn.Module:
    nn.utils.spectral_norm(model[0])
    return model


def pruned(model: nn.Module) -> nn.Module:
    prune.l1_unstructured(model[0], "weight", 0.5)
    return model


WRAPPED = {
    "compiled": compiled,
    "compiled part": lambda model: nn.Sequential(compiled(model)),
    "compiled in place": compiled_in_place,
    "data parallel": nn.DataParallel,
    "offloaded": offloaded,
    "parametrised": parametrised,
    "weight norm": old_weight_norm,
    "spectral norm": spectral,
    "pruned": pruned,
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped_models(name):
    torch.manual_seed(0)
    model = WRAPPED[name](network()).eval()
    output = model(IMAGE)
    tables = [dict(vars(module)) for module in model.modules()]
    found = [(layer.r_max, layer.flops) for layer in analyze(model, 16).layers]
    assert found == [(r, flops) for r, flops, _ in EXPECTED]
    assert [dict(vars(module)) for module in model.modules()] == tables
    assert torch.equal(model(IMAGE), output)


def test_other_hooks_stay_on():
    model, seen = network(), []
    model[0].register_forward_hook(lambda *_: seen.append(1))
    take_off_machinery(model.modules())
    model(IMAGE)
    assert seen == [1]
