"""What the architecture page promises: the layers, where Qt and torch may be, and no network."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "retina_viewer"
MODULES = sorted(PACKAGE.rglob("*.py"))
NETWORK = {
    "socket", "socketserver", "ssl", "http", "urllib.request", "urllib3", "requests", "httpx",
    "aiohttp", "ftplib", "smtplib", "imaplib", "poplib", "telnetlib", "xmlrpc", "webbrowser",
    "PySide6.QtNetwork", "PySide6.QtWebSockets", "torch.hub", "torch.distributed",
}  # fmt: skip
# Several processes of one training find each other with it, on this computer unless somebody
# starts them on several: docs/decisions/several-processes.md.
MAY_RENDEZVOUS = {PACKAGE / "training" / "distributed.py": {"torch.distributed"}}
QT = {"PySide6", "shiboken6", "pyqtgraph", "qtawesome", "qtpy"}


def imported(path: Path) -> Iterator[str]:
    """Every module named by an import statement anywhere in a file, with its parents."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: end + 1]) for end in range(len(parts)))


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def test_import_linters_contracts_hold() -> None:
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    result = subprocess.run(
        [sys.executable, "-c", command], cwd=PACKAGE.parent, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout
    assert "3 kept, 0 broken" in result.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_no_network_and_qt_only_in_the_window(path: Path) -> None:
    names = set(imported(path))
    assert names & NETWORK == MAY_RENDEZVOUS.get(path, set())
    if layer(path) != "ui":
        assert not names & QT
    if layer(path) in ("core", "imaging"):
        assert "torch" not in names


def test_the_scan_sees_imports_inside_functions(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from urllib import request\n", encoding="utf-8")
    assert set(imported(module)) == {"urllib", "urllib.request"}


def test_working_on_a_photograph_opens_no_connection(samples: Path, tmp_path: Path) -> None:
    """The interpreter reports every socket; none may be made, by us or by a library."""
    command = (
        "import sys\n"
        "def forbid(event, arguments):\n"
        "    if event.startswith('socket.') and event != 'socket.gethostname':\n"
        "        raise RuntimeError(f'network: {event}')\n"
        "sys.addaudithook(forbid)\n"
        "from retina_viewer.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    photograph = samples / "fives_28_A.png"
    arguments = ["enhance", str(photograph), "-o", str(tmp_path), "--scale", "2"]
    result = subprocess.run(
        [sys.executable, "-c", command, *arguments, "--method", "bicubic"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "fives_28_A_SRx2_bicubic.png").is_file()
