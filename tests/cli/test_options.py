from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from rfcheck.cli.options import require_size, size_given, size_options
from rfcheck.errors import InputSizeError
from rfcheck.input_size import AfterBatch


def input_size_of(resolution, input_size, channels):
    given = size_given(resolution, input_size, channels)
    return require_size(given.get("resolution", given.get("input-size")))


@pytest.mark.parametrize(
    ("resolution", "input_size", "channels", "size"),
    [
        ("32", None, None, 32),
        ("32", None, 1, 32),
        ("32x48", None, None, (32, 48)),
        ("32,48", None, None, (32, 48)),
        (None, "3,32,48", None, (3, 32, 48)),
        (None, "1,16000", None, (1, 16000)),
        (None, "1x3x8x8x8", None, (1, 3, 8, 8, 8)),
    ],
)
def test_what_the_options_stand_for(resolution, input_size, channels, size):
    assert input_size_of(resolution, input_size, channels) == size


@pytest.mark.parametrize(
    ("resolution", "input_size", "channels", "message"),
    [
        (
            None,
            None,
            3,
            "the input size is missing: add --resolution 32, with the extent in pixels that the model will be fed, or set resolution in the configuration",
        ),
        ("32", "3,32,32", None, "give either --resolution or --input-size, not both"),
        (None, "3,32,32", 3, "--input-size holds the channels already; leave --channels out"),
        ("0", None, None, "--resolution must be at least 1, got '0'"),
        ("", None, None, "--resolution must be a whole number like 32, or several like 32x48, got ''"),
        (None, "3,x", None, "--input-size must be a whole number like 32, or several like 32x48, got '3,x'"),
    ],
)
def test_what_cannot_be_understood(resolution, input_size, channels, message):
    with pytest.raises(InputSizeError) as caught:
        input_size_of(resolution, input_size, channels)
    assert str(caught.value) == message


def test_a_verb_gets_the_options_in_the_order_of_the_help():
    @click.command()
    @size_options
    def verb(resolution: str | None, input_size: str | None, channels: int | None) -> None:
        click.echo(f"{resolution} {input_size} {channels}")

    assert [option.opts for option in verb.params] == [["--resolution"], ["--input-size"], ["--channels"]]
    assert CliRunner().invoke(verb, ["--channels", "1", "--resolution", "8"]).output == "8 None 1\n"
    assert CliRunner().invoke(verb, ["--channels", "one"]).exit_code == 2


def test_an_input_size_of_one_number_has_no_channels():
    given = size_given(None, "16000", None)
    assert given == {"input-size": (16000,)}
    assert isinstance(given["input-size"], AfterBatch)
