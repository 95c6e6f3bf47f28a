from __future__ import annotations

import pytest


@pytest.fixture
def project(tmp_path):
    """A folder with two files and a folder that results may depend on."""
    for name in ("model.py", "config.yaml", "parts/blocks.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    return tmp_path
