"""A fix: what to change in a model, and what that will do."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from rfcheck.config import Settings
from rfcheck.fixes.outcome import Outcome
from rfcheck.fixes.snippet import Snippet
from rfcheck.fixes.steps import Step, run_steps, snippet_of
from rfcheck.fixes.subject import Subject
from rfcheck.fixes.surgery import Bypass, Cut


@dataclass(frozen=True, slots=True)
class Plan:
    """How to change a model: its modules step by step, then, where that is not enough, its torch.fx graph.

    Attributes:
        steps: changes of modules.
        surgery: change of the graph; None where modules are enough.
    """

    steps: tuple[Step, ...] = ()
    surgery: Cut | Bypass | None = None

    def apply(self, model: nn.Module) -> nn.Module:
        """Change a model, in place where that is possible; returns the changed model."""
        changed = run_steps(model, self.steps)
        return changed if self.surgery is None else self.surgery.apply(changed)

    def snippet(self, model: nn.Module) -> Snippet:
        """Code that makes the change to a variable ``model``."""
        by_modules = snippet_of(model, self.steps)
        return by_modules if self.surgery is None else by_modules.followed_by(self.surgery.snippet(model))


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a fix does, in numbers, without training."""

    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class Fix:
    """A change to a model that answers a finding.

    Attributes:
        name: "truncate"; variants have a number behind it.
        safe: whether the outputs stay identical at this input size.
        description: one sentence on what is changed.
        snippet: code that changes a variable ``model``, in parts.
        predicted: what that does; equal to the analysis of the changed model.
        plan: the change as data.
        input_size: image extent per axis that it was made for, in pixels.
        settings: what decided the numbers.
        shape: of the input that it was made for; empty where nobody says.
        held: dimensions of the input that hold an image axis; None for those behind the channels.
    """

    name: str
    safe: bool
    description: str
    snippet: Snippet = field(repr=False)
    predicted: Prediction
    plan: Plan = field(repr=False)
    input_size: tuple[int, ...]
    settings: Settings = field(default=Settings(), repr=False)
    shape: tuple[int, ...] = field(default=(), repr=False)
    held: tuple[int, ...] | None = field(default=None, repr=False)

    @property
    def code(self) -> str:
        """A Python snippet that changes a variable ``model``, runnable as it is."""
        return self.snippet.text


def proposed(subject: Subject, name: str, plan: Plan, after: Outcome, description: str, *, safe: bool) -> Fix:
    """A fix for a model, from how to change it and what that gives."""
    prediction = Prediction(subject.before, after)
    given = subject.graph.graph
    return Fix(
        name=name,
        safe=safe,
        description=description,
        snippet=plan.snippet(subject.model),
        predicted=prediction,
        plan=plan,
        input_size=subject.network.input_size,
        settings=subject.settings,
        shape=given["input_shape"],
        held=given["input_axes"],
    )


@dataclass(frozen=True, slots=True)
class Skipped:
    """A fix that does not apply, with the reason."""

    name: str
    reason: str
