"""Name the system libraries that Qt needs and this Linux lacks. Runs before anything is installed.

    python check_system.py             the apt-get command to run; exit code 1 if one is needed
    python check_system.py --packages  the Debian packages alone, one a line; exit code 0
    ... --for-screen-tests             also those of the tests that look at a screen of an X server

The list is the program's own, ``retina_viewer/core/system_libraries.py``: it names them as well.
"""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from retina_viewer.core import system_libraries
from retina_viewer.core.system_libraries import loads, os_release

FOR_SCREEN_TESTS = {"Xvfb": "xvfb", "openbox": "openbox"}
"""Programs: an X server without a screen, and a small window manager."""
FONTS = "fonts-dejavu-core"


def has_fonts() -> bool:
    """Qt brings none; without any, every letter is a box."""
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
    return any(next(folder.rglob("*.[to]tf"), None) for folder in folders)


def missing_packages(*, for_screen_tests: bool = False) -> list[str]:
    """The Debian packages to install, sorted; empty on other systems than Linux."""
    if not sys.platform.startswith("linux"):
        return []
    packages = system_libraries.missing_packages(loads, os_release(), on_x11=for_screen_tests)
    if for_screen_tests:
        programs = FOR_SCREEN_TESTS.items()
        packages += [package for program, package in programs if not shutil.which(program)]
    return sorted(packages if has_fonts() else [*packages, FONTS])


def main(arguments: list[str]) -> int:
    packages = missing_packages(for_screen_tests="--for-screen-tests" in arguments)
    if "--packages" in arguments:
        print("\n".join(packages))
        return 0
    if packages:
        print("\n".join(system_libraries.in_words(packages)), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
