"""Command lines that cannot be understood: one sentence, with the near name."""

from __future__ import annotations

from typing import Any

import click

from rfcheck.suggestions import did_you_mean


def usage_sentence(error: click.UsageError) -> str:
    """What is wrong with a command line, and what to do about it.

    Args:
        error: as click raised it.
    """
    remedy = f"see {error.ctx.command_path} --help" if error.ctx is not None else "see rfcheck --help"
    if isinstance(error, click.NoSuchOption):
        return f"no option {error.option_name}; {did_you_mean(error.option_name, _options_of(error.ctx), remedy)}"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return f"{_name_of(error.param)} is missing; {remedy}"
    if isinstance(error, click.BadOptionUsage):
        return _bad_usage(error, remedy)
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"{_name_of(error.param)}: {_bad_value(error.message, error.param.type, remedy)}"
    message = error.message.rstrip(".")
    return message if ";" in message else f"{message[:1].lower()}{message[1:]}; {remedy}"


def _bad_usage(error: click.BadOptionUsage, remedy: str) -> str:
    """An option without its value, or a flag with one."""
    params = [] if error.ctx is None else error.ctx.command.get_params(error.ctx)
    option = next((param for param in params if error.option_name in param.opts), None)
    if not isinstance(option, click.Option):
        return f"{error.message.rstrip('.')}; {remedy}"
    if option.is_flag:
        return f"{error.option_name} takes no value; leave it out"
    return f"{error.option_name} needs a value; write {error.option_name} {_values_of(option)}"


def _bad_value(message: str, kind: click.ParamType[Any], remedy: str) -> str:
    """What is wrong with a value: it is none of those that there are, or cannot be read."""
    if not isinstance(kind, click.Choice):
        return f"{message.rstrip('.')}; {remedy}"
    given = message.split("'")[1]
    choices = [str(choice) for choice in kind.choices]
    return f"{given!r} is none of {', '.join(choices)}; {did_you_mean(given, choices, remedy)}"


def _options_of(ctx: click.Context | None) -> list[str]:
    """The options of a verb that have a name and not only a letter."""
    params = [] if ctx is None else ctx.command.get_params(ctx)
    return [name for param in params if isinstance(param, click.Option) for name in param.opts if name.startswith("--")]


def _name_of(param: click.Parameter) -> str:
    return max(param.opts, key=len) if isinstance(param, click.Option) else param.human_readable_name


def _values_of(option: click.Option) -> str:
    choices = option.type.choices if isinstance(option.type, click.Choice) else ()
    return "|".join(map(str, choices)) or option.metavar or option.type.name.upper()
