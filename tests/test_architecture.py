"""What the architecture page promises: layers, sizes, names, where Qt and torch are, no network."""

import ast
import io
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "retina_viewer"
MODULES = sorted(PACKAGE.rglob("*.py"))
STUDIES = sorted((PACKAGE.parent / "studies").rglob("*.py"))
LONGEST_MODULE = 600
IMPORT_SHARE = 0.10
ONE_NAME_FOR_SEVERAL = {"__init__", "__main__"}
"""Of modules: Python gives these names their meaning."""
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
    contracts = (
        (PACKAGE.parent / "pyproject.toml").read_text("utf-8").count("importlinter.contracts]]")
    )
    assert f"{contracts} kept, 0 broken" in result.stdout


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


@pytest.mark.slow
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


def lines_of_code(source: str) -> set[int]:
    """The lines that hold more than space, comments and docstrings."""
    comments = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in comments and token.type != tokenize.ENDMARKER:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        # A string that stands alone says something of what stands above it.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def lines_of_imports(source: str) -> set[int]:
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def test_no_module_is_longer_than_a_thought() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in [*MODULES, *STUDIES]}
    assert not {path.name: size for path, size in lengths.items() if size > LONGEST_MODULE}


def test_imports_are_a_small_part_of_the_code() -> None:
    sources = [path.read_text("utf-8") for path in MODULES]
    code = sum(len(lines_of_code(source)) for source in sources)
    assert sum(len(lines_of_imports(source)) for source in sources) < IMPORT_SHARE * code


def test_a_module_has_a_name_of_its_own() -> None:
    places: dict[str, list[Path]] = defaultdict(list)
    for path in MODULES:
        places[path.stem].append(path.relative_to(PACKAGE))
    several = {name: found for name, found in places.items() if len(found) > 1}
    assert not {name: found for name, found in several.items() if name not in ONE_NAME_FOR_SEVERAL}


def test_a_public_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[Path]] = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path.relative_to(PACKAGE))
    assert not {name: found for name, found in places.items() if len(found) > 1}


def for_types_alone(tree: ast.Module) -> set[ast.AST]:
    """What stands under ``if TYPE_CHECKING``: no import when the program runs."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(path: Path, known: set[str]) -> set[str]:
    """The modules of the program that a file imports, anywhere in it."""
    tree = ast.parse(path.read_text("utf-8"))
    names: set[str] = set()
    for node in set(ast.walk(tree)) - for_types_alone(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {
                inner if inner in known else node.module
                for alias in node.names
                for inner in [f"{node.module}.{alias.name}"]
            }
    return (names & known) - {module_name(path)}


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also not by imports inside functions, which only hide one."""
    known = {module_name(path) for path in MODULES}
    graph = {module_name(path): imported_modules(path, known) for path in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_counting_leaves_out_what_is_no_code() -> None:
    source = '"""A module."""\n\nimport os  # here\n\n# a remark\nX = (\n    1,\n)\n"""Of X."""\n'
    assert lines_of_code(source) == {3, 6, 7, 8}
    assert lines_of_imports(source) == {3}


def test_the_tests_compute_with_one_thread_a_library() -> None:
    """Libraries read their setting when they are loaded: a conftest may import none before it."""
    import cv2  # noqa: F401
    import numpy as np
    from threadpoolctl import threadpool_info

    assert np.eye(2).sum() == 2
    assert {pool["num_threads"] for pool in threadpool_info()} == {1}
