"""Windows of the tests are drawn offscreen, and no test touches the person's own settings."""

import os
from pathlib import Path

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETINA_VIEWER_BASE_DIR", str(tmp_path / "user-data"))
