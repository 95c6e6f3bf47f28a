"""Images from a function of the user's that returns a training and a test data set."""

from __future__ import annotations

import contextlib
import importlib.util
import operator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfcheck.errors import DataError, TargetError
from rfcheck.suggestions import did_you_mean
from rfcheck.target.spec import TargetSpec, parse_target
from rfcheck.verify.data.foreign import to_pixels

if TYPE_CHECKING:
    from rfcheck.verify.data.images import Dataset, Images
    from rfcheck.verify.progress import Progress

_FORM = "a factory returns two data sets, for training and for testing, with a length and pairs of an image and a label"


def is_factory(spec: str) -> bool:
    """Whether a text names a Python file, or a module that can be imported, with something behind the colon."""
    try:
        target = parse_target(spec)
    except TargetError:
        return ".py:" in spec
    if target.kind == "file":
        return True
    return target.kind == "module" and _exists(target.place)


def check(spec: str, _download: bool) -> None:
    """Raise DataError where the file is missing or the text is none of ``file.py:function`` and ``package.module:function``."""
    target = _parsed(spec)
    if target.kind == "file" and not Path(target.place).expanduser().is_file():
        raise DataError(f"{spec}: there is no file {target.place}; give file.py:function or package.module:function")


def load(spec: str, download: bool, progress: Progress) -> Dataset:
    """What the function returns, decoded once: random changes that its data sets make are made once, not in every epoch.

    Raises:
        DataError: if the function is missing or fails, or returns something else than images with labels.
    """
    from rfcheck.verify.data.images import Dataset

    check(spec, download)
    made = _made(spec)
    if not isinstance(made, (tuple, list)) or len(made) != 2:
        parts = f" with {len(made)} parts" if isinstance(made, (tuple, list)) else ""
        raise DataError(f"{spec}: returns a value of the type {type(made).__name__}{parts}; {_FORM}")
    train, test = (_read(spec, split, items, progress) for split, items in (("training", made[0]), ("test", made[1])))
    classes = _classes(made[0]) or tuple(str(label) for label in range(int(train.labels.max()) + 1))
    return Dataset(spec, classes, train, test, flips=True)


def _exists(module: str) -> bool:
    """Whether a module's package can be found in the environment or the current folder, without importing it."""
    package = module.partition(".")[0]
    with contextlib.suppress(ValueError):  # raised for modules that were not imported from anywhere
        return importlib.util.find_spec(package) is not None or PathFinder.find_spec(package, [str(Path.cwd())]) is not None
    return False


def _parsed(spec: str) -> TargetSpec:
    try:
        target = parse_target(spec)
    except TargetError as error:
        raise DataError(str(error)) from None
    if target.attribute is None:
        raise DataError(f"{spec}: does not name a function; write {spec}:function")
    return target


def _made(spec: str) -> Any:
    """What the factory returns."""
    from rfcheck.target.source import FileSource, import_named, quiet_output

    target = _parsed(spec)
    try:
        in_file = target.kind == "file"
        value: Any = FileSource(target.place).module(on_meta=False) if in_file else import_named(target.place)
    except TargetError as error:
        raise DataError(f"{spec}: {error}") from error
    for part in (target.attribute or "").split("."):
        if not hasattr(value, part):
            public = [name for name, known in vars(value).items() if callable(known) and not name.startswith("_")]
            hint = did_you_mean(part, public, f"write a function {part}() that returns (train, test)")
            raise DataError(f"{spec}: {target.place} has no {part!r}; {hint}")
        value = getattr(value, part)
    if not callable(value):
        raise DataError(f"{spec}: {target.attribute} is of the type {type(value).__name__}, not a function; {_FORM}")
    try:
        with quiet_output():
            return value(*target.args, **target.kwargs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise DataError(f"{spec}: the function fails: {_said(error)}; mend it so that it returns (train, test)") from error


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _classes(items: Any) -> tuple[str, ...]:
    """Names of the classes, where a data set, or the one that it is a subset of, has them."""
    names = getattr(items, "classes", None)
    if names is None and hasattr(items, "dataset"):
        return _classes(items.dataset)
    return tuple(str(name) for name in names) if isinstance(names, (list, tuple)) else ()


def _read(spec: str, split: str, items: Any, progress: Progress) -> Images:
    """All pairs of a data set."""
    import numpy as np
    import torch

    from rfcheck.target.source import quiet_output
    from rfcheck.verify.data.images import Images

    if not hasattr(items, "__len__") or not hasattr(items, "__getitem__"):
        raise DataError(f"{spec}: the {split} set is of the type {type(items).__name__}; {_FORM}")
    if not len(items):
        raise DataError(f"{spec}: the {split} set has no images; give at least two of each class")
    pixels: list[np.ndarray] = []
    labels: list[int] = []
    progress.stage(f"reading {split} images", len(items))
    for number in range(len(items)):
        name = f"{spec}: item {number} of the {split} set"
        try:
            with quiet_output():
                item = items[number]
        except Exception as error:
            raise DataError(f"{name} cannot be read: {_said(error)}; mend the data set") from error
        image, label = _pair(name, item)
        pixels.append(image)
        labels.append(label)
        if image.shape != pixels[0].shape:
            raise DataError(
                f"{name} has the shape {image.shape} (channels, height, width) and item 0 {pixels[0].shape}; "
                "bring all images to one shape, for example with torchvision.transforms.Resize((height, width))"
            )
        progress.step()
    return Images(torch.from_numpy(np.stack(pixels)), torch.tensor(labels, dtype=torch.int64))


def _pair(name: str, item: Any) -> tuple[Any, int]:
    """An image's values, uint8 (C, H, W), and its label."""
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        raise DataError(f"{name} is of the type {type(item).__name__}; {_FORM}")
    image, label = item
    try:
        return to_pixels(image), operator.index(label)
    except TypeError:
        raise DataError(f"{name} has the label {label!r}, which is not an integer; number the classes from 0") from None
    except ValueError as error:
        raise DataError(f"{name} {error}") from None
