"""What the program remembers between two runs: one small TOML file that a person can read.

Values are plain (strings, numbers, paths), because this layer knows no methods, layers or widgets;
whoever uses a value checks that it still exists and falls back to its own default.
"""

from __future__ import annotations

import logging
import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote_to_bytes

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, read_small
from retina_viewer.core.paths import settings_file

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


_log = logging.getLogger(__name__)
MAX_RECENT = 12


class LayerSettings(BaseModel):
    """How one layer over the photograph looks."""

    model_config = ConfigDict(validate_assignment=True)

    on: bool = False
    opacity: float = Field(default=0.6, ge=0.0, le=1.0)
    colour_map: str = "inferno"
    style: str = "colours"


def _default_layers() -> dict[str, LayerSettings]:
    return {
        "saliency": LayerSettings(opacity=0.8, colour_map="inferno"),
        "vessels": LayerSettings(opacity=0.9, colour_map="cyan"),
        "uncertainty": LayerSettings(opacity=0.8, colour_map="cividis-reversed"),
    }


class Settings(BaseModel):
    """The person's choices; every assignment is validated. Unknown keys of a file are ignored.

    Attributes:
        recent_files: the newest first, at most 12. They may name patients: never log them.
        last_folder: where the last photograph was opened from.
        export_folder: where results go; None means beside the photograph.
        method: a super-resolution method's identifier; ``auto`` lets the program choose.
        model, fidelity: None for the method's and the network's own choice.
        pane_layout: the identifier of the panes' arrangement.
        layers: by name.
        export_mark: whether enlargements by a network carry a small mark in a corner.
        tile: side of a computed tile, in source pixels.
    """

    model_config = ConfigDict(validate_assignment=True, extra="ignore")

    recent_files: list[KeptPath] = Field(default_factory=list)
    last_folder: KeptPath | None = None
    export_folder: KeptPath | None = None
    method: str = "auto"
    scale: Literal[2, 4, 8, 16] = 4
    model: str | None = None
    fidelity: float | None = Field(default=None, ge=0.0, le=1.0)
    back_projection: bool = True
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$")
    theme: Literal["dark", "system", "light"] = "dark"
    pane_layout: str = "automatic"
    loupe_shown: bool = True
    inspector_shown: bool = True
    filmstrip_shown: bool = True
    layers: dict[str, LayerSettings] = Field(default_factory=_default_layers)
    export_mark: bool = True
    tile: int = Field(default=256, ge=32, le=4096)

    @field_validator("recent_files")
    @classmethod
    def _only_the_newest(cls, files: list[Path]) -> list[Path]:
        return list(dict.fromkeys(files))[:MAX_RECENT]

    @field_validator("layers", mode="before")
    @classmethod
    def _by_its_name_of_today(cls, layers: object) -> object:
        """Settings of before call the layer of uncertainty consistency."""
        if isinstance(layers, dict) and "consistency" in layers:
            older = {"uncertainty": layers["consistency"]}
            layers = older | {name: one for name, one in layers.items() if name != "consistency"}
        return layers

    def remember_file(self, path: Path) -> None:
        """Put a photograph at the head of the recent files, and its folder as the last one."""
        # Not resolve(): a link that the person chose keeps its own name.
        path = Path(os.path.abspath(path))  # noqa: PTH100
        self.recent_files = [path, *(other for other in self.recent_files if other != path)]
        self.last_folder = path.parent

    def forget_places(self) -> None:
        """Forget the names of photographs and of folders, which may be a patient's too."""
        self.recent_files = []
        self.last_folder = self.export_folder = None


def load_settings(path: Path | None = None) -> Settings:
    """The saved settings, or the defaults where there are none.

    A file that cannot be understood is renamed to ``settings.toml.broken`` and defaults are used:
    the program always starts. A file that cannot be read at all is left alone.

    Args:
        path: the person's own settings file where None.
    """
    path = settings_file() if path is None else path
    try:
        return Settings.model_validate(tomllib.loads(read_small(path).decode()))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        _log.warning("The settings could not be read (%s); using defaults.", error.strerror)
    except (ValueError, RecursionError) as error:  # no TOML, no text, no such values, nested deeply
        # The error's text may quote the file, which names photographs: its type says enough.
        _log.warning("The settings are broken (%s); using defaults.", type(error).__name__)
        with suppress(OSError):
            path.replace(path.with_name(path.name + ".broken"))
    return Settings()


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings, whole or not at all; the folder is made where it is missing. Raises
    UserError: the folder cannot be made or written to, or the disk is full.
    """
    path = settings_file() if path is None else path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The settings could not be saved: {error.strerror}.", "Check the folder's rights."
        ) from error
    text = tomli_w.dumps(settings.model_dump(mode="json", exclude_none=True))
    with atomic_write(path, replace=True) as stream:
        stream.write(text.encode())
