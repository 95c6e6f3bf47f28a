"""Names of catalogue models against those that the catalogues list themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest
import timm
import torchvision

from rfcheck.target.catalogues import catalogue_names


@pytest.mark.parametrize(("catalogue", "listed"), [("torchvision", torchvision.models.list_models), ("timm", timm.list_models)])
def test_the_names_are_those_that_the_catalogue_lists(catalogue, listed):
    assert catalogue_names(catalogue) == sorted(listed())


def test_nothing_is_imported():
    code = (
        "import sys; from rfcheck.target.catalogues import catalogue_names; "
        "print(len(catalogue_names('timm')) > 0, {'torch', 'torchvision', 'timm'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True set()\n"


def test_a_catalogue_that_is_not_installed_has_no_models(monkeypatch):
    assert catalogue_names("no_such_catalogue") == []
    monkeypatch.setitem(sys.modules, "timm", None)
    assert catalogue_names("timm") == []


def test_decorators_and_names_of_every_form(tmp_path, monkeypatch):
    package = tmp_path / "zoo_of_ones_own"
    (package / "models" / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "models" / "a.py").write_text(
        "@register_model\ndef plain():\n    pass\n\n\n"
        "@register_model()\n@handle(\n    weights=('a', 1),\n)\ndef decorated(): pass\n\n"
        "def unregistered(): pass\n# @register_model\ndef neither(): pass\n"
    )
    (package / "models" / "deep" / "b.py").write_text('@register_model(name="other")\ndef own_name(): pass\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert catalogue_names("zoo_of_ones_own") == ["decorated", "other", "plain"]
