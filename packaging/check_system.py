"""Name the system libraries that Qt needs and this Linux lacks. Runs before anything is installed.

    python check_system.py             the apt-get command to run; exit code 1 if one is needed
    python check_system.py --packages  the Debian packages alone, one a line; exit code 0

The list is the program's own, ``retina_viewer/core/system_libraries.py``: it names them as well.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from retina_viewer.core import system_libraries
from retina_viewer.core.system_libraries import loads, os_release

FONTS = "fonts-dejavu-core"


def has_fonts() -> bool:
    """Qt brings none; without any, every letter is a box."""
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
    return any(next(folder.rglob("*.[to]tf"), None) for folder in folders)


def missing_packages() -> list[str]:
    """The Debian packages to install, sorted; empty on other systems than Linux."""
    if not sys.platform.startswith("linux"):
        return []
    packages = system_libraries.missing_packages(loads, os_release())
    return sorted(packages if has_fonts() else [*packages, FONTS])


def main(arguments: list[str]) -> int:
    packages = missing_packages()
    if "--packages" in arguments:
        print("\n".join(packages))
        return 0
    if packages:
        print("\n".join(system_libraries.in_words(packages)), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
