"""Every test: no display, no network, its own user data, one thread a library.

The environment is set before anything is imported, because Qt and torch read it then.
"""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does.
settings.register_profile("retina-viewer", deadline=None)
settings.load_profile("retina-viewer")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Small pictures: threads cost more than they bring, and results vary less with one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
from tests.data_sets import data, data_folder, own_data_folder  # noqa: E402, F401 (fixtures, and numpy)

_user_data = tempfile.TemporaryDirectory(prefix="retina-viewer-tests-")
os.environ["RETINA_VIEWER_BASE_DIR"] = _user_data.name

SAMPLES = Path(__file__).resolve().parents[1] / "resources" / "samples"


@pytest.fixture(scope="session", autouse=True)
def _forget_user_data() -> Iterator[None]:
    yield
    _user_data.cleanup()


@pytest.fixture(autouse=True)
def _own_user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, models, caches and logs of a test are its own."""
    monkeypatch.setenv("RETINA_VIEWER_BASE_DIR", str(tmp_path / "user-data"))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach another machine fails the test. Local sockets (AF_UNIX) stay."""
    real_connect = socket.socket.connect
    real_connect_ex = socket.socket.connect_ex

    def refuse(address: object) -> NoReturn:
        pytest.fail(f"the program tried to reach {address!r}")

    def connect(self: socket.socket, address: object) -> None:
        if self.family != getattr(socket, "AF_UNIX", None):
            refuse(address)
        real_connect(self, address)  # type: ignore[arg-type]

    def connect_ex(self: socket.socket, address: object) -> int:
        if self.family != getattr(socket, "AF_UNIX", None):
            refuse(address)
        return real_connect_ex(self, address)  # type: ignore[arg-type]

    def getaddrinfo(host: object, *_: object, **__: object) -> NoReturn:
        refuse(host)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the bundled photographs."""
    return SAMPLES


@pytest.fixture(scope="session")
def sample_path() -> Callable[[str], Path]:
    """``sample_path("chase_14L.jpg")``: the path of one bundled file, which must exist."""

    def path(name: str) -> Path:
        found = SAMPLES / name
        if not found.is_file():
            raise FileNotFoundError(found)
        return found

    return path
