"""Options of the command line from the fields of a dataclass."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from retina_viewer.core.options import add_fields, option, read_fields


@dataclass(frozen=True)
class Asked:
    data: Path = option(help="the folder")
    out: Path = option(flags=("-o", "--out"), metavar="DIR", help="where to")
    more: tuple[str, ...] = option((), flags=("more",), help="names")
    scale: Literal[2, 4] = option(4, help="how large")
    scales: Sequence[int] = option((2, 4), help="several", choices=(2, 4, 8))
    share: float | None = option(None, help="default: the model's own")
    quick: bool = option(False, help="hurry")
    held_back: bool = option(True, help="do not hold back")
    half: int = option(1, help="of two", parse=lambda text: int(text) // 2)
    hidden: int = field(default=7)


def asked(*words: str) -> Asked:
    parser = argparse.ArgumentParser()
    add_fields(parser, Asked)
    return read_fields(Asked, parser.parse_args([*words]))


def test_what_is_not_given_is_the_default() -> None:
    assert asked("here", "-o", "there") == Asked(Path("here"), out=Path("there"))


def test_every_sort_of_field_is_read() -> None:
    words = (
        "here a b --out there --scale 2 --scales 8 2 --share 0.5 --quick --no-held-back --half 8"
    )
    assert asked(*words.split()) == Asked(
        Path("here"), Path("there"), ("a", "b"), 2, (8, 2), 0.5, True, False, 4
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("-o x", "required: data"),
        ("here", "required: -o/--out"),
        ("here -o x --scale 3", "--scale: invalid choice: 3 (choose from 2, 4)"),
        ("here -o x --scales 3", "--scales: invalid choice: 3 (choose from 2, 4, 8)"),
        ("here -o x --share much", "--share: invalid float value: 'much'"),
        ("here -o x --hidden 8", "unrecognized arguments: --hidden"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_argparse(
    words: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        asked(*words.split())
    assert complaint in capsys.readouterr().err


def test_the_help_says_what_is_meant_where_nothing_is_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="0"):
        asked("--help")
    said = " ".join(capsys.readouterr().out.split())
    for words in ("how large; default 4", "several; default 2 4", "--share SHARE default: the"):
        assert words in said
    assert "hurry; default" not in said


def test_some_fields_alone_and_none_where_nothing_is_said() -> None:
    parser = argparse.ArgumentParser()
    add_fields(parser, Asked, ("scale", "held_back"), unset=True)
    assert vars(parser.parse_args([])) == {"scale": None, "held_back": None}
    assert vars(parser.parse_args(["--no-held-back"]))["held_back"] is False
    assert "default" not in parser.format_help()
