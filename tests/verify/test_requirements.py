from __future__ import annotations

import importlib.util

import pytest

from rfcheck.errors import VerifyError
from rfcheck.verify import requirements


def test_all_packages_are_there():
    requirements.require_packages()


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ({"sklearn"}, "scikit-learn, which is not installed"),
        ({"accelerate", "tomli_w"}, "accelerate, tomli-w, which are not installed"),
    ],
)
def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch, gone, sentence):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in gone else found(name))
    with pytest.raises(VerifyError) as caught:
        requirements.require_packages()
    assert str(caught.value) == f"rfcheck verify needs {sentence}: pip install 'rfcheck[verify]'"


def test_the_extra_installs_what_is_required(pytestconfig):
    import tomllib

    project = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())["project"]
    for extra in ("verify", "test"):
        listed = {line.partition(">=")[0] for line in project["optional-dependencies"][extra]}
        assert set(requirements.PACKAGES.values()) <= listed, extra
