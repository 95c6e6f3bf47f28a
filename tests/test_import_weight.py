"""What a start must not import; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parent.parent
HEAVY = ("libcst", "torch", "torchvision", "networkx", "matplotlib", "numpy", "fvcore")

VERIFY = tuple(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "rfcheck" / "verify").rglob("*.py")
    if path.name not in ("__init__.py", "recipe.py")
)
"""Modules of rfcheck.verify that only a verification needs."""


def imported(code: str, names: tuple[str, ...] = HEAVY) -> list[str]:
    """The heavy packages that a piece of code has imported when it ends."""
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint([n for n in {names!r} if n in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return eval(done.stderr.splitlines()[-1])


@pytest.mark.parametrize(
    "code",
    [
        "import rfcheck",
        "from rfcheck.cli import main; main(['--help'])",
        "from rfcheck.cli import main; main(['--version'])",
        "from rfcheck.cli import main; main(['check', '--help'])",
        "import rfcheck.verify; dir(rfcheck.verify)",
        "import rfcheck.verify.progress, rfcheck.verify.recipe, rfcheck.verify.run.processes",
        "from rfcheck.cli import main; main(['verify', '--help'])",
        "from rfcheck.cli import main; main(['rule'])",
        "from rfcheck.cli import main; main(['rule', 'RF101'])",
        "from rfcheck.cli import main; main(['examples/unet.py'])",
    ],
)
def test_no_torch(code):
    assert imported(code) == []


def test_the_check_can_fail():
    assert "torch" in imported("from rfcheck import analyze")


def test_an_analysis_leaves_torchs_compiler_and_the_plotting_alone():
    code = "from rfcheck.cli import main; main(['examples/resnet18_cifar.py', '--resolution', '32', '--output-file', '/dev/null'])"
    kept_away = ["torchvision", "matplotlib", "fvcore", "sympy", "torch._dynamo", "triton", "pandas", "cel.cli"]
    if Version(version("torch")) < Version("2.8"):
        kept_away.remove("sympy")  # which torch itself imports to fill a tensor without data
    assert imported(code, tuple(kept_away)) == []


def test_an_analysis_imports_nothing_of_verify_but_the_recipe():
    code = "from rfcheck.cli import main; main(['examples/resnet18_cifar.py', '--resolution', '32', '--no-cache', '--quiet'])"
    assert imported(code, VERIFY) == []


def test_what_verify_imports_would_be_seen():
    assert imported("from rfcheck.verify import SaturationTracker", VERIFY) != []
