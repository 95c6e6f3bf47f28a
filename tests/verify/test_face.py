from __future__ import annotations

import subprocess
import sys

import pytest

import rfcheck.verify


@pytest.mark.parametrize(
    ("code", "heavy"), [("import rfcheck.verify", []), ("from rfcheck.verify import SaturationTracker", ["torch"])]
)
def test_everything_is_imported_on_first_use(code, heavy):
    script = f"{code}; import sys; print([name for name in ('torch', 'lightning', 'sklearn', 'accelerate') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(heavy)


def test_every_name_is_there():
    for name in rfcheck.verify.__all__:
        assert getattr(rfcheck.verify, name).__name__ == name
    assert dir(rfcheck.verify) == rfcheck.verify.__all__


def test_a_name_that_does_not_exist():
    with pytest.raises(AttributeError, match=r"^module 'rfcheck.verify' has no attribute 'Tracker'$"):
        rfcheck.verify.Tracker  # noqa: B018
