"""The one tree of errors that rfcheck raises; each message names the thing, the value and the remedy."""

from __future__ import annotations

from rfcheck.printable import printable


class RfcheckError(Exception):
    """Base of all errors that rfcheck raises on purpose; the text of each is one line, whatever the names in it hold."""

    def __str__(self) -> str:
        return printable(super().__str__())


class InputSizeError(RfcheckError, ValueError):
    """An input size that is not usable: not a number, not positive, or of the wrong number of axes."""


class SettingsError(RfcheckError, ValueError):
    """A setting with an unknown name or a value that is not among the allowed ones."""


class TargetError(RfcheckError):
    """A target that cannot be found, imported or built."""


class NothingToAnalyzeError(TargetError):
    """A file that holds no model, or only models that rfcheck cannot build by itself."""


class TraceError(RfcheckError):
    """A forward pass that fails at this input size; names the layer and the shapes.

    Attributes:
        layer: dotted name of the module that failed, None where unknown.
        received: shape of the first tensor that it received, None where unknown.
        needs_data: whether the forward may work once the model's parameters hold data.
    """

    layer: str | None = None
    received: tuple[int, ...] | None = None
    needs_data: bool = False

    def with_remedy(self, remedy: str) -> TraceError:
        """The same error, saying what to do about it."""
        error = TraceError(f"{self}; {remedy}")
        error.layer, error.received, error.needs_data = self.layer, self.received, self.needs_data
        error.__cause__ = self.__cause__
        return error


class OperatorError(RfcheckError, ValueError):
    """A registration of an operator that is already known, or that is not an operator."""


class RuleError(RfcheckError, ValueError):
    """A rule file that is not valid; names the file, the line and the key."""


class UnknownNameError(RfcheckError, KeyError):
    """A layer, rule or operator name that does not exist; names the near ones."""

    def __str__(self) -> str:
        return printable(str(self.args[0]))


class FixError(RfcheckError):
    """A fix that does not exist, does not apply to this model, or cannot be carried out; says why."""


class VerifyError(RfcheckError):
    """A verification that cannot be started, or cannot go on; says what is kept and how to resume."""


class DataError(VerifyError):
    """Images that cannot be found, read or used with the model; names the file or folder."""


class TrainingError(VerifyError):
    """A training that cannot go on: a loss that is not finite, memory or a disk that is full; says what to change."""
