"""What the help of each verb says besides its description and its options."""

from __future__ import annotations

from dataclasses import dataclass

OPTION_GROUPS = {
    "Input": ("--resolution", "--resolutions", "--input-size", "--channels", "--args", "--skip-empty", "--timeout"),
    "Rules": ("--select", "--ignore", "--limit", "--classes", "--rules", "--fail-on", "--exit-zero"),
    "Output": (
        "--output",
        "--format",
        "--output-format",
        "--output-file",
        "--statistics",
        "--layers",
        "--explain",
        "--plot",
        "--schema",
        "--show-suppressed",
        "--quiet",
        "--verbose",
    ),
    "Suppressions and baseline": ("--add-ignore", "--baseline", "--write-baseline"),
    "Training": (
        "--data",
        "--download",
        "--canvas",
        "--preset",
        "--epochs",
        "--batch-size",
        "--optimizer",
        "--learning-rate",
        "--momentum",
        "--weight-decay",
        "--decay-every",
        "--decay-factor",
        "--precision",
        "--seeds",
    ),
    "Measuring": ("--probe-size", "--probe-memory", "--heatmap"),
    "Run": ("--run-dir", "--resume", "--tensorboard"),
    "Fixes": ("--fixes", "--fix", "--unsafe-fixes", "--diff", "--aim", "--max-flops", "--apply", "--force"),
}
"""The options of all verbs by the heading of their help; the others come last."""

ENVIRONMENT = {
    "NO_COLOR": "no colours, even on a terminal",
    "FORCE_COLOR": "colours, even where the output is not a terminal",
    "COLUMNS": "width of reports, instead of that of the terminal",
    "GITHUB_STEP_SUMMARY": "file to which the format github appends a Markdown report; GitHub Actions sets it",
    "OMP_NUM_THREADS": "threads of verify, instead of one for every processor",
    "ACCELERATE_USE_CPU": "for verify: train on the CPU, even where there is a GPU",
    "WATCHFILES_FORCE_POLLING": "for --watch: keep looking for changes, where the file system does not tell of them",
}

FILES = {
    "rfcheck.toml, pyproject.toml": "configuration, in the latter in [tool.rfcheck]; the nearest one above the target holds",
    "rfcheck-runs": "folders of runs of verify, with everything that they measured",
    ".rfcheck_cache": "results of earlier runs, beside the configuration or in the current folder; rfcheck clean removes it",
}


@dataclass(frozen=True, slots=True)
class Example:
    """A command line, and what it does."""

    command: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Page:
    """The parts of a help page.

    Attributes:
        synopsis: what follows the name of the command.
        terms: a heading, with terms and what they mean, to stand before the options.
        examples: command lines that work.
        exit_codes: those that the verb leaves with, and what they mean.
        environment: variables that it reads, of `ENVIRONMENT`.
        files: that it reads or writes by itself, of `FILES`.
        see_also: where to read on, and what about.
    """

    synopsis: str
    terms: tuple[str, tuple[tuple[str, str], ...]] = ("", ())
    examples: tuple[Example, ...] = ()
    exit_codes: tuple[tuple[str, str], ...] = ()
    environment: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    see_also: tuple[tuple[str, str], ...] = ()


_TARGETS = (
    ("model.py", "every model in a file"),
    ("model.py:Net", "one of them; with literal arguments: 'model.py:build(num_classes=10)'"),
    ("package.module:Net", "a name in a module"),
    ("torchvision:resnet18", "a catalogue model; timm: too, where it is installed"),
    ("model.pt2, model.onnx", "an exported program; none of its author's code runs"),
    ("NAME", "a model that the configuration names"),
)

_DONE = ("0", "done")
_ERROR = ("2", "an error; one sentence on standard error says what, and how to mend it")
_NOTHING = ("3", "nothing to analyse in the given file")
_INTERRUPTED = ("130", "interrupted with Ctrl-C")
_CONFIGURATION = "rfcheck.toml, pyproject.toml"
_TARGETS_ELSEWHERE = ("rfcheck --help", "the forms of a TARGET")
_RULES_ELSEWHERE = ("rfcheck rule RF101", "what a rule means, and when to ignore it")
_README = ("README.md", "the whole story, with the ideas behind it")

_CHECK = Page(
    synopsis="[TARGET]... [OPTIONS]",
    terms=("Targets", _TARGETS),
    examples=(
        Example("rfcheck model.py --resolution 32", "Check every model in a file, for images of 32x32 pixels."),
        Example("rfcheck 'model.py:build(num_classes=10)' --resolution 32x48", "Check one of them, for images that are 48 wide."),
        Example("rfcheck audio.py --input-size 1,16000", "Check a model for one channel of 16000 samples."),
        Example("rfcheck", "Check all models that the configuration lists."),
        Example("rfcheck model.py --resolution 32 --watch", "Check again whenever a file changes."),
        Example("rfcheck model.py --resolution 32 --fix --diff", "Show what the safe fixes would change in the file."),
        Example("rfcheck model.py --resolution 32 --output sarif=x.sarif --output full", "Write one report and print another."),
        Example("rfcheck model.py --resolution 32 --limit RF401.max_flops=100M", "Set a budget for this run."),
    ),
    exit_codes=(
        ("0", "no finding at or above --fail-on"),
        ("1", "findings at or above --fail-on"),
        _ERROR,
        _NOTHING,
        ("130", "interrupted with Ctrl-C, which is also how --watch ends"),
    ),
    environment=("NO_COLOR", "FORCE_COLOR", "COLUMNS", "GITHUB_STEP_SUMMARY", "WATCHFILES_FORCE_POLLING"),
    files=(_CONFIGURATION, ".rfcheck_cache"),
    see_also=(
        _RULES_ELSEWHERE,
        ("rfcheck config --schema", "everything that a configuration file may say"),
        ("rfcheck completions --help", "completion of all this in bash, zsh and fish"),
        _README,
    ),
)

PAGES = {
    "check": _CHECK,
    "clean": Page(
        synopsis="[OPTIONS]",
        examples=(Example("rfcheck clean", "Remove the results that were kept here and below."),),
        exit_codes=(("0", "they are gone, or there were none"), _ERROR),
        files=(_CONFIGURATION, ".rfcheck_cache"),
        see_also=(("rfcheck --no-cache", "a run that neither uses nor keeps results"),),
    ),
    "compare": Page(
        synopsis="A B [OPTIONS]",
        examples=(
            Example("rfcheck compare HEAD~1:model.py model.py --resolution 32", "Say what the last commit did to a model."),
            Example("rfcheck compare torchvision:resnet18 model.py:Net --resolution 64", "Compare a model with a known one."),
        ),
        exit_codes=(("0", "B is not worse"), ("1", "B is worse"), _ERROR, _NOTHING, _INTERRUPTED),
        environment=("NO_COLOR", "FORCE_COLOR", "COLUMNS"),
        files=(_CONFIGURATION,),
        see_also=(_TARGETS_ELSEWHERE, _RULES_ELSEWHERE, _README),
    ),
    "completions": Page(
        synopsis="bash|zsh|fish",
        terms=(
            "Set up",
            (
                ('eval "$(rfcheck completions bash)"', "in ~/.bashrc, for bash 4.4 or newer"),
                ('eval "$(rfcheck completions zsh)"', "in ~/.zshrc, behind compinit"),
                ("rfcheck completions fish > ~/.config/fish/completions/rfcheck.fish", "once, for fish"),
            ),
        ),
        examples=(Example("rfcheck completions bash", "Print the script for bash."),),
        exit_codes=(_DONE, _ERROR),
    ),
    "config": Page(
        synopsis="[TARGET] [OPTIONS]",
        examples=(
            Example("rfcheck config", "Show what the configuration here says."),
            Example("rfcheck config model.py", "Show what holds for a file."),
            Example("rfcheck config --schema", "Print the JSON schema, for an editor."),
        ),
        exit_codes=(_DONE, _ERROR),
        environment=("NO_COLOR", "FORCE_COLOR", "COLUMNS"),
        files=(_CONFIGURATION,),
        see_also=(_TARGETS_ELSEWHERE, _README),
    ),
    "fix": Page(
        synopsis="TARGET [OPTIONS]",
        examples=(
            Example("rfcheck fix model.py --resolution 32", "Show every fix side by side, with its effect."),
            Example("rfcheck fix model.py --resolution 32 --aim accuracy --max-flops 300M", "Recommend one within a budget."),
            Example("rfcheck fix model.py --resolution 32 --apply truncate", "Print the code of a change."),
            Example(
                "rfcheck fix model.py --resolution 32 --apply truncate,remove-stem -o fixed.py",
                "Write a module whose build_model() makes the changed model.",
            ),
        ),
        exit_codes=(_DONE, _ERROR, _NOTHING, _INTERRUPTED),
        environment=("NO_COLOR", "FORCE_COLOR", "COLUMNS"),
        files=(_CONFIGURATION,),
        see_also=(("rfcheck --fix", "changes in the source file itself"), _TARGETS_ELSEWHERE, _README),
    ),
    "graph": Page(
        synopsis="TARGET [OPTIONS]",
        examples=(
            Example("rfcheck graph model.py --resolution 32 --output-file model.svg", "Draw a model."),
            Example("rfcheck graph model.py:Net --resolution 32 --format json", "Print every operator, for a program."),
        ),
        exit_codes=(_DONE, _ERROR, _NOTHING, _INTERRUPTED),
        files=(_CONFIGURATION,),
        see_also=(("rfcheck --plot", "receptive fields and FLOPs per layer as a picture"), _TARGETS_ELSEWHERE, _README),
    ),
    "rule": Page(
        synopsis="[CODE] [OPTIONS]",
        examples=(
            Example("rfcheck rule", "List all rules."),
            Example("rfcheck rule RF101", "Explain one."),
            Example("rfcheck rule unproductive-tail", "Explain it, by its name."),
        ),
        exit_codes=(_DONE, _ERROR),
        see_also=(("rfcheck --select, --ignore", "which rules run"), _README),
    ),
    "sweep": Page(
        synopsis="TARGET --resolutions LIST [OPTIONS]",
        examples=(
            Example("rfcheck sweep model.py --resolutions 32:512:32", "Analyse a model at 32, 64 and so on up to 512 pixels."),
            Example("rfcheck sweep model.py --resolutions 32,64,224 --plot sweep.png", "Draw three of them, too."),
        ),
        exit_codes=(("0", "every model was analysed"), _ERROR, _NOTHING, _INTERRUPTED),
        environment=("NO_COLOR", "FORCE_COLOR", "COLUMNS"),
        files=(_CONFIGURATION,),
        see_also=(_TARGETS_ELSEWHERE, _README),
    ),
    "verify": Page(
        synopsis="[TARGET] [OPTIONS]",
        examples=(
            Example("rfcheck verify model.py --resolution 32", "Train on scikit-learn's digits, which need no download."),
            Example("rfcheck verify model.py --resolution 32 --data folder:images --preset quick", "Train on images of your own."),
            Example(
                "rfcheck verify model.py --resolution 32 --seeds 5 --fixes truncate",
                "Say also what a fix does to the accuracy, with an interval over five seeds.",
            ),
            Example("rfcheck verify --resume rfcheck-runs/Net-20260101-120000", "Go on with a run that was interrupted."),
        ),
        exit_codes=(
            ("0", "the predictions are confirmed"),
            ("1", "a prediction is refuted"),
            _ERROR,
            _NOTHING,
            ("4", "inconclusive: the measurement decides nothing"),
            _INTERRUPTED,
            ("143", "terminated, as by a batch system that takes its machine back"),
        ),
        environment=("NO_COLOR", "FORCE_COLOR", "COLUMNS", "OMP_NUM_THREADS", "ACCELERATE_USE_CPU"),
        files=(_CONFIGURATION, "rfcheck-runs"),
        see_also=(("rfcheck fix", "the fixes and what they do"), _TARGETS_ELSEWHERE, _RULES_ELSEWHERE, _README),
    ),
}
"""The pages of all verbs, by name."""
