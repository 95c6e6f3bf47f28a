"""A whole verification: plan, train, measure, judge and report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rfcheck.errors import VerifyError
from rfcheck.verify.conclusions import Run
from rfcheck.verify.progress import Named
from rfcheck.verify.records import Measurement, Sizes
from rfcheck.verify.run.environment import change_sentence, continued, environment, limited_threads, training_device
from rfcheck.verify.run.heatmaps import heatmaps, require_layers
from rfcheck.verify.run.measuring import Bench, chance, measure
from rfcheck.verify.run.planning import Plan, plan_run
from rfcheck.verify.run.processes import rank
from rfcheck.verify.run.recipe_file import RunFile, write_run_file
from rfcheck.verify.writing import remove_leftovers, write_file

if TYPE_CHECKING:
    from rfcheck.verify.data.prepared import Prepared
    from rfcheck.verify.progress import Progress
    from rfcheck.verify.run.folder import RunFolder


def run(file: RunFile, folder: RunFolder, *, download: bool, progress: Progress) -> Run:
    """Verify a model; what is done already in the folder is not done again.

    Args:
        file: what to do.
        folder: where everything is kept.
        download: whether data that are missing may be fetched.
        progress: takes note of what is done.

    Returns:
        Everything measured and concluded, which is also in the folder, as report.json and as pictures.

    Raises:
        RfcheckError: whatever keeps the run from being finished; what was done until then stays in the folder.
    """
    from rfcheck.verify.training.outputs import require_head

    plan = plan_run(file.recipe, file.settings)
    require_layers(file.recipe.heatmaps, plan.models[0])
    data = _data(file, download=download, progress=progress)
    require_head(plan.models[0].build(), data, file.recipe.target)
    file = _noted(file, plan, data, folder)
    device = training_device()
    with limited_threads():
        bench = Bench(file.recipe, data.to(device), device, folder, file.tensorboard, progress)
        measurements = _measurements(plan, bench)
        finished = _concluded(file, plan, measurements, bench)
    if rank() == 0:
        _write(finished, folder)
    return finished


def _measurements(plan: Plan, bench: Bench) -> list[Measurement]:
    """All models with all seeds; where that is more than one, their progress is numbered."""
    work = [(planned, seed) for seed in range(bench.recipe.seeds) for planned in plan.models]
    if len(work) == 1:
        return [measure(*work[0], bench)]
    return [
        measure(planned, seed, replace(bench, progress=Named(f"{number}/{len(work)}", bench.progress)))
        for number, (planned, seed) in enumerate(work, 1)
    ]


def _data(file: RunFile, *, download: bool, progress: Progress) -> Prepared:
    from rfcheck.verify.data.prepared import prepare
    from rfcheck.verify.data.sources import load_dataset

    dataset = load_dataset(file.recipe.data, download=download, progress=progress)
    return prepare(dataset, file.recipe.input_size, canvas=file.recipe.canvas, augment=file.recipe.training.augment)


def _noted(file: RunFile, plan: Plan, data: Prepared, folder: RunFolder) -> RunFile:
    """What the run is about, written down when it begins, and held against it when it goes on.

    Raises:
        VerifyError: if the model or the data are not those with which it began.
    """
    for what, before, now in (
        ("model", file.architecture, plan.architecture),
        ("data", file.fingerprint, data.fingerprint),
    ):
        if before not in ("", now):
            raise VerifyError(
                f"{folder.path}: the {what} changed since the run began; bring the old {what} back, or begin a new run"
            )
    noted = replace(
        file,
        architecture=plan.architecture,
        fingerprint=data.fingerprint,
        classes=data.classes,
        sizes=Sizes(len(data.train), len(data.validation), len(data.test)),
        environment=file.environment if folder.document.exists() else continued(file.environment, environment()),
    )
    if rank() == 0:
        remove_leftovers(folder.path)
        if noted != file or not folder.recipe.exists():
            write_run_file(folder.recipe, noted)
    return noted


def _concluded(file: RunFile, plan: Plan, measurements: list[Measurement], bench: Bench) -> Run:
    from rfcheck.verify.verdict.judging import judge

    assert file.sizes is not None
    judgement = judge(
        [planned.variant for planned in plan.models],
        measurements,
        settings=file.settings,
        training=file.recipe.training,
        input_size=file.recipe.input_size[1:],
        name=plan.name,
        flow=plan.flow,
        chance=chance(bench.data),
    )
    changed = change_sentence(file.environment)
    if changed:
        judgement = replace(judgement, caveats=(*judgement.caveats, changed))
    return Run(
        name=plan.name,
        recipe=file.recipe,
        classes=file.classes,
        sizes=file.sizes,
        fingerprint=file.fingerprint,
        environment=dict(file.environment),
        measurements=tuple(measurements),
        judgement=judgement,
        heatmaps=heatmaps(plan.models[0], measurements[0].test_accuracy, bench) if rank() == 0 else (),
    )


def _write(finished: Run, folder: RunFolder) -> None:
    """Write report.json and the pictures, each whole or not at all; what is there already, as it is, need not be writable."""
    from rfcheck.report.json_v1 import dump
    from rfcheck.verify.report.document import document
    from rfcheck.verify.report.pictures import pictures

    files = {folder.document: (dump(document(finished)) + "\n").encode()}
    files |= {folder.picture(name): picture for name, picture in pictures(finished).items()}
    for path, content in files.items():
        if not (path.is_file() and path.read_bytes() == content):
            write_file(path, content)
