"""Before anything is imported: no display, and user data in a folder that goes away."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_user_data = tempfile.TemporaryDirectory(prefix="retina-viewer-tests-")
os.environ["RETINA_VIEWER_BASE_DIR"] = _user_data.name

SAMPLES = Path(__file__).resolve().parents[1] / "resources" / "samples"


@pytest.fixture(scope="session", autouse=True)
def _forget_user_data() -> Iterator[None]:
    yield
    _user_data.cleanup()


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the bundled photographs."""
    return SAMPLES
