"""The system libraries that Qt needs and that its package does not bring. Needs nothing installed.

The list was read off ``ldd`` of PySide6's QtCore, QtGui, QtWidgets, QtDBus and the offscreen
platform plugin. The xcb libraries are needed only where a window is to appear on an X11 display.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ALWAYS = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libX11.so.6": "libx11-6",
    "libxcb.so.1": "libxcb1",
}
ON_X11 = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
# Debian 13 and Ubuntu 24.04 renamed it; apt-get resolves the old name only on older systems.
RENAMED = {"libglib2.0-0": "libglib2.0-0t64"}


def loads(library: str) -> bool:
    """Whether a library, and all that it needs, is there."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def os_release() -> dict[str, str]:
    """What the system says it is."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key: value.strip('"') for key, value in pairs}


def missing_packages(
    loads: Callable[[str], bool] = loads,
    release: Mapping[str, str] | None = None,
    *,
    on_x11: bool = False,
) -> list[str]:
    """The Debian packages to install, sorted; empty on other systems than Linux. ``on_x11``: that
    a window is to appear on an X11 display, also where there is none yet.
    """
    if not sys.platform.startswith("linux"):
        return []
    wanted = dict(ALWAYS)
    if on_x11 or os.environ.get("DISPLAY"):
        wanted.update(ON_X11)
    packages = {package for library, package in wanted.items() if not loads(library)}
    if _uses_new_names(os_release() if release is None else release):
        packages = {RENAMED.get(package, package) for package in packages}
    return sorted(packages)


def in_words(packages: list[str]) -> tuple[str, str]:
    """What is missing, and how to get it."""
    names = " ".join(packages)
    return (
        f"The window needs system libraries that are not installed: {names}",
        f"On Debian or Ubuntu: sudo apt-get install {names}",
    )


def _uses_new_names(release: Mapping[str, str]) -> bool:
    number = release.get("VERSION_ID", "0").split(".")[0]
    newest_old = {"debian": 12, "ubuntu": 23}.get(release.get("ID", ""), 10**6)
    return number.isdigit() and int(number) > newest_old
