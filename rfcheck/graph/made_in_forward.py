"""Layers that a model makes in its forward: their parameters get the names that the model gives them, and their calls theirs."""

from __future__ import annotations

from torch import nn

from rfcheck.graph.records import ModuleCall, OpRecord, Recording


def name_made_layers(recording: Recording, model: nn.Module) -> None:
    """Name the parameters that were made in a forward, and list the operators that read them under the layers they belong to.

    Args:
        recording: of the forward; changed in place. Parameters that the model does not keep have the name that the recorder gave
            them: their layer is made anew for every image.
        model: as the forward left it.
    """
    if not recording.made:
        return
    named = {id(parameter): name for name, parameter in model.named_parameters()}
    names = {given: named.get(id(parameter), given) for given, parameter in recording.made.items()}
    made = {names[given]: parameter for given, parameter in recording.made.items()}
    modules = dict(model.named_modules())
    repeats: dict[str, int] = {}
    used = set(named.values())  # a layer that is moved to another device leaves parameters behind that nothing reads
    for record in recording.records:
        own: set[str] = set()
        for tensor in record.tensors:
            if not tensor.params.isdisjoint(names):
                tensor.params = frozenset(names.get(name, name) for name in tensor.params)
                own |= {name for name in tensor.params if name in made and name.rpartition(".")[0] in modules}
            used |= tensor.params
        if own:
            _list_under_layer(record, own.pop().rpartition(".")[0], modules, repeats)
    recording.made = {name: parameter for name, parameter in made.items() if name in used}


def _list_under_layer(record: OpRecord, path: str, modules: dict[str, nn.Module], repeats: dict[str, int]) -> None:
    if record.call.path == path or not path:
        return
    repeats[path] = repeats.get(path, 0) + 1
    kind = type(modules[path])
    from_torch = kind.__module__.startswith("torch.nn.modules.")
    record.call = ModuleCall(path, kind.__name__, repeats[path], is_leaf=True, from_torch=from_torch)
