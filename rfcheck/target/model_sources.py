"""Which imports may lead to a torch.nn.Module, by their dotted names alone."""

from __future__ import annotations

import sys
from collections.abc import Set

ORIGINS = frozenset({
    "builtins", "code", "gc", "importlib", "inspect", "operator.call", "pickle", "pkgutil", "runpy", "shelve",
    "sys._getframe", "sys.modules", "unittest.mock",
    "numpy.lib", "numpy.load", "pandas.io", "pandas.read_pickle", "yaml.full_load", "yaml.load", "yaml.unsafe_load",
    "torch.optim.swa_utils",
})  # fmt: skip
"""Names that may give a Module although what they belong to gives none: they load or find objects of any class."""

HARMLESS = frozenset({
    "importlib.metadata.PackageNotFoundError", "importlib.metadata.version", "importlib.resources", "inspect.cleandoc",
    "inspect.signature",
    "attr", "attrs", "click", "cv2", "django", "fastapi", "flask", "jinja2", "matplotlib", "numpy", "pandas", "PIL", "psutil",
    "pydantic", "pytest", "requests", "rich", "scipy", "seaborn", "setuptools", "sqlalchemy", "tomli", "tqdm", "typer",
    "typing_extensions", "yaml",
    "torch.__version__", "torch.arange", "torch.backends", "torch.bfloat16", "torch.bool", "torch.cuda", "torch.device",
    "torch.dtype", "torch.enable_grad", "torch.float16", "torch.float32", "torch.float64", "torch.Generator",
    "torch.get_default_dtype", "torch.inference_mode", "torch.int32", "torch.int64", "torch.linspace", "torch.long",
    "torch.manual_seed", "torch.no_grad", "torch.ones", "torch.optim", "torch.rand", "torch.randn", "torch.set_default_dtype",
    "torch.set_grad_enabled", "torch.set_num_threads", "torch.Size", "torch.Tensor", "torch.tensor", "torch.uint8",
    "torch.utils.data", "torch.zeros",
})  # fmt: skip
"""Names that give no Module by themselves, at most what they are given: some of packages that do, and whole packages."""


def may_give_model(name: str, hidden: Set[str] = frozenset()) -> bool:
    """Whether an import, or what is reached from it, may be, make or contain a Module.

    The standard library does not, nor do well-known packages without Modules, unless a file of the user's hides them; their
    functions that load or find objects of any class do. Of anything else nothing is known.

    Args:
        name: dotted name, "torch.nn.Module"; of a relative import with leading dots.
        hidden: packages in whose place a module of the user's is imported.
    """
    parts = name.split(".")
    if not parts[0] or parts[0] in hidden:
        return True
    for end in range(len(parts), 0, -1):
        prefix = ".".join(parts[:end])
        if prefix in ORIGINS or prefix in HARMLESS:
            return prefix in ORIGINS
    return parts[0] not in sys.stdlib_module_names
