"""The files around the package agree with it and with each other."""

import importlib.util
import re
import runpy
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def constraints() -> dict[str, str]:
    lines = (ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pairs}


def load_check_system() -> ModuleType:
    """It is no part of the package: it runs before anything is installed."""
    spec = importlib.util.spec_from_file_location(
        "check_system", ROOT / "packaging" / "check_system.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def check_system() -> ModuleType:
    return load_check_system()


def test_every_dependency_has_a_tested_version_inside_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"], *extras["evaluation"], *extras["dev"]]
    tested = constraints()
    for requirement in map(Requirement, named):
        if requirement.name == "retina-viewer":
            continue
        version = tested[re.sub(r"[-_.]+", "-", requirement.name).lower()]
        assert requirement.specifier.contains(version), requirement.name
    assert tested["torch"] == "2.13.0"


def test_constraints_name_public_versions_only() -> None:
    for name, version in constraints().items():
        assert re.fullmatch(r"[0-9][0-9a-z.]*", version), f"{name}=={version}"


def test_the_installed_command_starts_the_command_line() -> None:
    scripts = distribution("retina-viewer").entry_points.select(group="console_scripts")
    assert [(script.name, script.value) for script in scripts] == [
        ("retina-viewer", "retina_viewer.cli:main")
    ]


def test_missing_libraries_are_named_by_their_debian_packages(
    check_system: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_system.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    missing = {"libEGL.so.1", "libgthread-2.0.so.0", "libxcb-cursor.so.0"}
    monkeypatch.setattr(check_system, "loads", lambda library: library not in missing)
    monkeypatch.setattr(check_system, "has_fonts", lambda: True)
    monkeypatch.setattr(check_system, "os_release", lambda: {"ID": "debian", "VERSION_ID": "12"})
    assert check_system.main([]) == 1
    assert "sudo apt-get install libegl1 libglib2.0-0" in capsys.readouterr().err

    monkeypatch.setattr(check_system, "os_release", lambda: {"ID": "ubuntu", "VERSION_ID": "24.04"})
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(check_system, "has_fonts", lambda: False)
    assert check_system.main(["--packages"]) == 0
    assert capsys.readouterr().out.split() == [
        "fonts-dejavu-core", "libegl1", "libglib2.0-0t64", "libxcb-cursor0",
    ]  # fmt: skip


def test_tests_of_the_screen_need_a_server_and_its_libraries(
    check_system: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_system.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(check_system, "loads", lambda library: library != "libxcb-cursor.so.0")
    monkeypatch.setattr(check_system, "has_fonts", lambda: True)
    monkeypatch.setattr(check_system.shutil, "which", lambda program: None)
    assert check_system.main(["--packages", "--for-screen-tests"]) == 0
    assert capsys.readouterr().out.split() == ["libxcb-cursor0", "openbox", "xvfb"]
    assert check_system.main(["--packages"]) == 0
    assert capsys.readouterr().out.split() == []


def test_nothing_is_asked_for_where_everything_loads(
    check_system: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_system, "loads", lambda library: True)
    monkeypatch.setattr(check_system, "has_fonts", lambda: True)
    assert check_system.main([]) == 0


def test_the_wheel_ships_the_product_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr("setuptools.setup", lambda **words: asked.update(words))
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / "setup.py"))
    packages = asked["packages"]
    assert {name.partition(".")[0] for name in packages} == {"retina_viewer"}
    assert {"retina_viewer.cli", "retina_viewer._bundled.models"} <= set(packages)
    assert set(asked["package_dir"].values()) == {"models", "resources"}
