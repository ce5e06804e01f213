"""Paths in files of text, such as settings and plans of trainings."""

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote_to_bytes

from pydantic import BeforeValidator, PlainSerializer

_URI = "file://"


def _as_text(path: Path) -> str:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.absolute().as_uri()
    return str(path)


def _from_text(value: object) -> object:
    if isinstance(value, str) and value.startswith(_URI):
        return Path(os.fsdecode(unquote_to_bytes(value.removeprefix(_URI))))
    return value


KeptPath = Annotated[Path, BeforeValidator(_from_text), PlainSerializer(_as_text, when_used="json")]
"""A field of a pydantic model: one whose name is not UTF-8 is written as a URI, and reads back."""
