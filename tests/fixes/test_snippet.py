from __future__ import annotations

import sys

import pytest

from rfcheck.fixes.snippet import NOTHING, Snippet, import_block

DEFINITION = "def zero(model):\n    model.x = 0"
PLAIN = Snippet((), (), ("model.a = 1",))
WITH_IMPORTS = Snippet(
    ("from torch import nn", "from collections import OrderedDict"), (), ("model.b = nn.Identity()", "model.c = 3")
)
WITH_ALL = Snippet(("from torch import nn",), (DEFINITION,), ("zero(model)",))


@pytest.mark.parametrize(
    ("snippet", "text"),
    [
        (PLAIN, "model.a = 1\n"),
        (
            WITH_IMPORTS,
            "from collections import OrderedDict\n\nfrom torch import nn\n\nmodel.b = nn.Identity()\nmodel.c = 3\n",
        ),
        (WITH_ALL, "from torch import nn\n\n\ndef zero(model):\n    model.x = 0\n\n\nzero(model)\n"),
    ],
)
def test_text(snippet, text):
    assert snippet.text == text
    compile(text, "snippet", "exec")


def test_one_after_the_other_under_comments():
    both = NOTHING.then(PLAIN, "first: a").then(WITH_ALL, "second: x").then(WITH_ALL, "third: x again")
    assert both == Snippet(
        ("from torch import nn",),
        (DEFINITION,),
        ("# first: a", "model.a = 1", "", "# second: x", "zero(model)", "", "# third: x again", "zero(model)"),
    )


def test_imports_are_not_repeated():
    assert WITH_ALL.then(WITH_IMPORTS, "more").imports == ("from torch import nn", "from collections import OrderedDict")


@pytest.mark.parametrize(
    ("lines", "block"),
    [
        ([], ""),
        (["import timm"], "import timm\n"),
        (
            ["from torch import nn", "import timm", "from pathlib import Path", "import sys", "import copy", "import sys"],
            "import copy\nimport sys\nfrom pathlib import Path\n\nimport timm\nfrom torch import nn\n",
        ),
        (
            ["from torch import nn", "from collections import OrderedDict"],
            "from collections import OrderedDict\n\nfrom torch import nn\n",
        ),
    ],
)
def test_imports_are_in_the_order_of_isort(lines, block):
    assert import_block(lines) == block


def test_every_import_of_the_standard_library_is_seen_as_such():
    for name in ("collections", "copy", "importlib", "pathlib", "sys"):
        assert name in sys.stdlib_module_names
        assert import_block([f"import {name}", "import torch"]) == f"import {name}\n\nimport torch\n"
