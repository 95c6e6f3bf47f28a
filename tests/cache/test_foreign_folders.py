"""What others put in the place of the folder of results, or into it, stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rfcheck.cache import store
from rfcheck.cache.store import FOLDER, Store
from tests.cache.projects import NAME, keep, names_in
from tests.cache.results import SMALL


def test_a_file_in_the_place_of_the_folder(project):
    (project / FOLDER).write_text("mine")
    keep(project)
    assert Store(project).find(NAME) is None
    assert (project / FOLDER).read_text() == "mine"


def test_a_link_that_leads_nowhere_in_the_place_of_the_folder(project):
    (project / FOLDER).symlink_to(project / "nowhere")
    keep(project)
    assert Store(project).find(NAME) is None


@pytest.fixture
def victim(tmp_path_factory):
    """A folder of somebody's, with an old file."""
    folder = tmp_path_factory.mktemp("victim")
    (folder / "thesis.docx").write_text("precious")
    (folder / NAME).write_text("precious too")
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    return folder


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("marked", [False, True])
def test_a_link_in_the_place_of_the_folder_is_not_followed(project, victim, marked):
    if marked:
        (victim / "CACHEDIR.TAG").write_text(store._MARKS["CACHEDIR.TAG"])
    before = contents_of(victim)
    (project / FOLDER).symlink_to(victim)
    keep(project)
    assert Store(project).find(NAME) is None
    assert not Store(project).clean()
    assert contents_of(victim) == before
    assert (project / FOLDER).is_symlink()


def test_a_folder_of_others_is_left_as_it_is(project, victim):
    victim.rename(project / FOLDER)
    before = contents_of(project / FOLDER)
    keep(project)
    assert Store(project).find(NAME) is None
    assert not Store(project).clean()
    assert contents_of(project / FOLDER) == before


def test_what_others_put_into_the_folder_stays(project):
    keep(project)
    month = time.time() - 31 * 24 * 3600
    for name in ("thesis.docx", "writing-about-it.txt", "A" * 64, "a" * 63):
        (project / FOLDER / name).write_text("precious")
        os.utime(project / FOLDER / name, (month, month))
    (project / FOLDER / ("c" * 64)).symlink_to(project / "model.py")
    keep(project)
    assert Store(project).clean()
    kept = {"thesis.docx", "writing-about-it.txt", "A" * 64, "a" * 63, "c" * 64, ".gitignore", "CACHEDIR.TAG"}
    assert names_in(project / FOLDER) == kept


def test_a_folder_that_a_killed_process_has_begun(project):
    (project / FOLDER).mkdir()
    (project / FOLDER / "writing-0123").touch()
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)
