"""Name the system libraries that Qt needs and this Linux lacks. Runs before anything is installed.

    python check_system.py             the apt-get command to run; exit code 1 if one is needed
    python check_system.py --packages  the Debian packages alone, one a line; exit code 0
    ... --for-screen-tests             also those of the tests that look at a screen of an X server

The list was read off ``ldd`` of PySide6's QtCore, QtGui, QtWidgets, QtDBus and the offscreen
platform plugin. The xcb libraries are needed only where a window is to appear on an X11 display.
"""

import ctypes
import os
import shutil
import sys
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
FOR_SCREEN_TESTS = {"Xvfb": "xvfb", "openbox": "openbox"}
"""Programs: an X server without a screen, and a small window manager."""
FONTS = "fonts-dejavu-core"
# Debian 13 and Ubuntu 24.04 renamed it; apt-get resolves the old name only on older systems.
RENAMED = {"libglib2.0-0": "libglib2.0-0t64"}


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def os_release() -> dict[str, str]:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key: value.strip('"') for key, value in pairs}


def uses_new_names(release: dict[str, str]) -> bool:
    number = release.get("VERSION_ID", "0").split(".")[0]
    newest_old = {"debian": 12, "ubuntu": 23}.get(release.get("ID", ""), 10**6)
    return number.isdigit() and int(number) > newest_old


def has_fonts() -> bool:
    """Qt brings none; without any, every letter is a box."""
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
    return any(next(folder.rglob("*.[to]tf"), None) for folder in folders)


def missing_packages(*, for_screen_tests: bool = False) -> list[str]:
    """The Debian packages to install, sorted; empty on other systems than Linux."""
    if not sys.platform.startswith("linux"):
        return []
    wanted = dict(ALWAYS)
    if os.environ.get("DISPLAY") or for_screen_tests:
        wanted.update(ON_X11)
    packages = {package for library, package in wanted.items() if not loads(library)}
    if for_screen_tests:
        programs = FOR_SCREEN_TESTS.items()
        packages |= {package for program, package in programs if not shutil.which(program)}
    if not has_fonts():
        packages.add(FONTS)
    if uses_new_names(os_release()):
        packages = {RENAMED.get(package, package) for package in packages}
    return sorted(packages)


def main(arguments: list[str]) -> int:
    packages = missing_packages(for_screen_tests="--for-screen-tests" in arguments)
    if "--packages" in arguments:
        print("\n".join(packages))
        return 0
    if packages:
        names = " ".join(packages)
        print("The window needs system libraries that are not installed:", names, file=sys.stderr)
        print(f"On Debian or Ubuntu: sudo apt-get install {names}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
