"""Where things are. The only module that knows about the file layout.

``resources/`` and ``models/`` lie beside the package in a source tree and in a frozen program,
and inside it (``retina_viewer/_bundled/``) in a wheel.
"""

import os
import sys
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parents[1]
BASE_DIRECTORY_VARIABLE = "RETINA_VIEWER_BASE_DIR"
"""Names a folder for all user data instead of the platform's (``--temp-basedir``, tests)."""


def _bundled(name: str) -> Path:
    frozen = getattr(sys, "_MEIPASS", None)
    candidates = [_PACKAGE / "_bundled" / name, _PACKAGE.parent / name]
    if frozen is not None:
        candidates.insert(0, Path(frozen) / name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"The installation lacks its folder {name!r}; reinstall the program.")


def resources_dir() -> Path:
    return _bundled("resources")


def shipped_models_dir() -> Path:
    return _bundled("models")


def _user_dir(kind: str) -> Path:
    base = os.environ.get(BASE_DIRECTORY_VARIABLE)
    if base:
        return Path(base) / kind
    # "RetinaViewer" twice would be the Windows habit; one level is enough.
    dirs = platformdirs.PlatformDirs("RetinaViewer", appauthor=False)
    return {
        "config": dirs.user_config_path,
        "data": dirs.user_data_path,
        "log": dirs.user_log_path,
    }[kind]


def settings_file() -> Path:
    return _user_dir("config") / "settings.toml"


def user_models_dir() -> Path:
    return _user_dir("data") / "models"


def model_defaults_file() -> Path:
    """Which models are the defaults, see :mod:`retina_viewer.model_store.defaults`."""
    return _user_dir("data") / "model-defaults.json"


def user_runs_dir() -> Path:
    """One folder a fine-tuning, see :mod:`retina_viewer.finetuning.run_folder`."""
    return _user_dir("data") / "runs"


def patient_salt_file() -> Path:
    """The random bytes that patients' labels are hashed with; see ``finetuning.patients``."""
    return _user_dir("data") / "patient-salt"


def log_dir() -> Path:
    return _user_dir("log")
