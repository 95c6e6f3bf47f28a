"""The keys of a configuration file: one table for reading it, for the JSON schema and for ``rfcheck config``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rfcheck.config import Settings
from rfcheck.configuration.values import (
    CODES,
    COUNT,
    FILE,
    FOLDERS,
    INPUT_SIZE,
    LIMIT,
    RESOLUTION,
    SHARE,
    TARGET,
    TEXT,
    Kind,
    one_of,
    whole,
)

BUDGET_RULE = "RF401"
"""The rule whose limits are the budgets."""

_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        name: as it is written.
        shape: what its value is.
        description: for editors.
        examples: values, for editors.
        default: its value where none is given.
        absent: what `rfcheck config` shows instead of a value that is None or empty.
        in_models: whether a models entry may have it too.
        required: whether it must be given.
    """

    name: str
    shape: Kind | Table | Rows
    description: str
    examples: tuple[Any, ...] = ()
    default: Any = None
    absent: str = "none"
    in_models: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of keys.

    Attributes:
        keys: with names that are known.
        pattern: what other names look like; None if there are no others.
        others: the key that every other name stands for.
        called: what messages call another name.
        instead: what may stand in place of the table.
    """

    keys: tuple[Key, ...] = ()
    pattern: str | None = None
    others: Key | None = None
    called: str = ""
    instead: Kind | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of tables with the same keys."""

    table: Table


_RULE = Table(
    keys=(Key("severity", one_of("error", "warning", "info"), "Severity of the rule's findings."),),
    pattern="^[A-Za-z_][A-Za-z0-9_]*$",
    others=Key("limit", LIMIT, "A limit of the rule; `rfcheck rule CODE` lists them.", (4, 0.5, "300M", "off")),
    called="the name of a limit, like min_layers",
)
_RULES = Table(
    pattern="^[A-Z]{2,}[0-9]{3}$",
    others=Key("rule", _RULE, "Severity and limits of one rule.", ({"severity": "error", "min_layers": 4},)),
    called="the code of a rule, like RF101",
)
_BUDGETS = Table(
    keys=(
        Key("flops", COUNT, "Most multiply-accumulates of one forward pass.", ("300M", 3e8)),
        Key("params", COUNT, "Most parameters.", ("5M",)),
        Key("activation-bytes", COUNT, "Most bytes of all tensors that one forward pass allocates.", ("64M",)),
        Key("tail-share", SHARE, "Largest share of the multiply-accumulates in the tail, from 0 to 1.", (0.1,)),
    )
)


def _folders_or(table: Table) -> Table:
    return Table(table.keys, table.pattern, table.others, table.called, instead=FOLDERS)


_SETTINGS = (
    Key("resolution", RESOLUTION, "Image extent in pixels.", (32, "32x48"), absent="not set", in_models=True),
    Key("input-size", INPUT_SIZE, "Channels and image extents, instead of resolution.", ([3, 32, 48], "3,32,48"), in_models=True),
    Key("channels", whole(1), "Channels of the input.", (1,), _DEFAULTS.channels, in_models=True),
    Key("classes", whole(2), "Number of classes of the task.", (10,), None, "from the model's output", in_models=True),
    Key("select", CODES, "Rules to run, by code or beginning of it; all if empty.", (["RF1", "RF301"],), (), "all", in_models=True),
    Key("ignore", CODES, "Rules to leave out; the longer prefix wins over select.", (["RF103"],), (), in_models=True),
    Key(
        "fail-on",
        one_of("error", "warning", "info", "never"),
        "Mildest severity that makes the exit code 1.",
        ("error",),
        "warning",
        in_models=True,
    ),
    Key("projection", one_of("downsampling", "exact"), "How a strided shortcut counts on r_min.", (), _DEFAULTS.projection),
    Key("gates", one_of("ignore", "count"), "Whether gates add receptive field.", (), _DEFAULTS.gates),
    Key("flops-by", one_of("torch", "fvcore"), "Whose formulas count FLOPs.", (), _DEFAULTS.flops_by),
    Key("baseline", FILE, "File of known findings, relative to this file.", ("rfcheck-baseline.json",)),
    Key("rule-folders", FOLDERS, "Folders with further rules, relative to this file.", (["my_rules"],), ()),
)
_OVERRIDES = (
    Key("rules", _RULES, "Severities and limits by rule.", ({"RF101": {"severity": "error", "min_layers": 4}},), in_models=True),
    Key("budgets", _BUDGETS, f"What a model may cost: limits of {BUDGET_RULE}.", ({"flops": "300M"},), in_models=True),
)
_MODEL = Table(
    (
        Key(
            "target",
            TARGET,
            "What to analyse; a file is relative to this file.",
            ("model.py:Net", "torchvision:resnet18"),
            required=True,
        ),
        Key("name", TEXT, "What to call the model; the target if not given.", ("tiny",)),
        *(key for key in (*_SETTINGS, *_OVERRIDES) if key.in_models),
    )
)
FILE_TABLE = Table(
    (
        *_SETTINGS,
        Key(
            "rules",
            _folders_or(_RULES),
            "Severities and limits by rule; or a list of folders with further rules.",
            _OVERRIDES[0].examples,
        ),
        _OVERRIDES[1],
        Key("models", Rows(_MODEL), "Models that `rfcheck` without a target analyses.", ([{"target": "model.py:Net"}],)),
    )
)
"""Everything that a file may hold."""

LAYERED = tuple(key for key in _SETTINGS)
"""Keys with one value, which the higher of two layers replaces; rules are merged instead."""

EXCLUSIVE = (("resolution", "input-size"), ("input-size", "channels"))
"""Keys that one table cannot hold together."""


def budget_limit(budget: str) -> str:
    """The limit of the budget rule that a budget sets."""
    return "max_" + budget.replace("-", "_")
