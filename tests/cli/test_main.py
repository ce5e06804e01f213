"""Verbs, exit codes, and how fast help comes."""

import logging
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from retina_viewer.cli import main, window_verbs
from retina_viewer.cli.console import Console
from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.superres.methods import METHODS
from retina_viewer.ui.start import Start


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[list[Path]]:
    """What the window was asked to open; no window appears."""
    seen: list[list[Path]] = []

    def run(files: Sequence[Path], start: Start) -> int:
        seen.append(list(files))
        return 0

    monkeypatch.setattr("retina_viewer.ui.app.run", run)
    return seen


def test_view_is_the_default(opened: list[list[Path]], tmp_path: Path) -> None:
    photograph = tmp_path / "enhance.png"
    photograph.touch()
    assert main([]) == 0
    assert main([str(photograph)]) == 0
    assert main([str(tmp_path), str(photograph)]) == 0
    assert main(["view", "gone.png"]) == 0
    assert main(["--temp-basedir"]) == 0
    assert opened == [[], [photograph], [tmp_path, photograph], [Path("gone.png")], []]


def test_the_view_starts_with_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[Start] = []

    def run(files: Sequence[Path], start: Start) -> int:
        starts.append(start)
        return 0

    monkeypatch.setattr("retina_viewer.ui.app.run", run)
    main([])
    main(["--method", "saliency-gan", "--fidelity", "0.3", "--no-back-projection"])
    main(["view", "--temp-basedir", "--model", "own", "--scale", "8", "--back-projection"])
    assert starts == [
        Start(),
        Start(method="saliency-gan", fidelity=0.3, back_projection=False),
        Start(model="own", scale=8, back_projection=True),
    ]


def test_a_mistyped_verb_is_wrong_usage(
    opened: list[list[Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["enhanse"])
    assert caught.value.code == 2
    assert "enhance" in capsys.readouterr().err
    assert opened == []


def test_a_temporary_base_directory_is_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from retina_viewer.core.paths import settings_file

    seen: list[Path] = []

    def run(files: Sequence[Path], start: Start) -> int:
        settings_file().parent.mkdir(parents=True)
        seen.append(settings_file().parent)
        return 0

    before = settings_file()
    monkeypatch.setattr("retina_viewer.ui.app.run", run)
    assert main(["view", "--temp-basedir"]) == 0
    assert not seen[0].exists()
    assert settings_file() == before


def test_debug_lets_the_log_say_more(monkeypatch: pytest.MonkeyPatch) -> None:
    from retina_viewer.core.paths import log_dir

    def run(files: Sequence[Path], start: Start) -> int:
        logging.getLogger("retina_viewer.test").debug("a detail")
        return 0

    monkeypatch.setattr("retina_viewer.ui.app.run", run)
    assert main(["view"]) == 0
    log = log_dir() / "retina-viewer.log"
    assert "a detail" not in log.read_text(encoding="utf-8")
    assert main(["view", "--debug"]) == 0
    assert "a detail" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("raised", "code", "word"),
    [
        (UserError("It broke.", "Mend it."), 1, "Mend it."),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (Cancelled(), 130, "Interrupted"),
    ],
)
def test_how_a_verb_ends_is_the_exit_code(
    raised: BaseException,
    code: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(files: Sequence[Path], start: Start) -> int:
        raise raised

    monkeypatch.setattr("retina_viewer.ui.app.run", run)
    assert main(["view"]) == code
    assert word in capsys.readouterr().err


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    program = f"{shlex.quote(sys.executable)} -m retina_viewer models show pixel-fast"
    shell = ["bash", "-c", f"set -o pipefail; {program} | true"]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")


def test_help_needs_neither_torch_nor_qt_nor_numpy() -> None:
    command = (
        "import sys\n"
        "from retina_viewer.cli import main\n"
        "try: main(['enhance', '--help'])\n"
        "except SystemExit: pass\n"
        "print(*sorted({'torch', 'PySide6', 'numpy', 'cv2', 'pydantic'} & set(sys.modules)))\n"
    )
    start = time.perf_counter()
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    assert result.stdout.splitlines()[-1] == ""
    assert "--scale" in result.stdout
    assert seconds < 5  # 0.1 s on an idle machine


@pytest.mark.parametrize(
    "words",
    [
        *("view", "demo", "enhance", "saliency", "vessels", "uncertainty", "train", "info"),
        *(f"models {action}" for action in ("list", "default", "accept", "delete", "import")),
    ],
)
def test_the_help_of_every_verb_begins_with_what_it_does(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*words.split(), "--help"])
    usage, sentence, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"usage: retina-viewer {words}")
    assert sentence[0].isupper()
    assert sentence.endswith(".")


def test_help_names_every_method_and_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["enhance", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "default: the one of --model, or else of the default model" in said
    unbroken = said.replace("- ", "-")  # lines are broken at hyphens too
    assert all(method.id in unbroken for method in METHODS)


def test_where_a_window_can_appear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not window_verbs.has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert window_verbs.has_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen:size=800x600")
    assert not window_verbs.has_display()
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setattr(sys, "platform", "win32")
    assert window_verbs.has_display()


def test_the_demo_uses_an_empty_folder_and_spares_a_full_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Path] = []
    monkeypatch.setattr(window_verbs, "has_display", lambda: False)

    def demo_files(sample: Path, out: Path, console: Console) -> int:
        used.append(out)
        return 0

    monkeypatch.setattr(window_verbs, "_demo_files", demo_files)
    empty, full = tmp_path / "empty", tmp_path / "1.5 full"
    for folder in (empty, full):
        folder.mkdir()
    (empty / ".DS_Store").touch()
    (full / "mine.png").touch()
    monkeypatch.chdir(full)
    for out in (tmp_path / "new", empty, full, Path()):
        assert main(["demo", "--out", str(out)]) == 0
    assert used[:2] == [tmp_path / "new", empty]
    assert used[2:] == 2 * [tmp_path / "1.5 full (2)"]


def test_a_system_that_refuses_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(files: Sequence[Path], start: Start) -> int:
        raise PermissionError(13, "Permission denied", "models")

    monkeypatch.setattr("retina_viewer.ui.app.run", run)
    assert main(["view"]) == 1
    assert "Permission denied" in capsys.readouterr().err


def test_a_library_that_qt_lacks_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "retina_viewer.ui.app", None)  # importing it fails
    monkeypatch.setattr(window_verbs, "missing_packages", lambda: ["libegl1", "libgl1"])
    assert main(["view"]) == 1
    assert "apt-get install libegl1 libgl1" in capsys.readouterr().err
    monkeypatch.setattr(window_verbs, "missing_packages", list)
    with pytest.raises(ImportError):
        main(["view"])


_OPENS = """
import os, sys
from retina_viewer.cli.main import _open_standard_streams
_open_standard_streams()
number = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
os.write(1, b"out")
os.write(2, b"what a library says")
sys.exit(number)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams by a shell")
def test_a_result_never_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    result = tmp_path / "result.png"
    line = shlex.join([sys.executable, "-c", _OPENS, str(result)])
    done = subprocess.run(["bash", "-c", f"{line} <&- >&- 2>&-"], check=False)
    assert done.returncode > 2
    assert result.read_bytes() == b""
