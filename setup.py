"""What pyproject.toml cannot say: two folders beside the package travel inside it in a wheel.

``resources/`` and ``models/`` become ``retina_viewer/_bundled/resources`` and ``.../models``, where
``retina_viewer.core.paths`` looks for them. In a source tree it finds the folders themselves.
"""

from pathlib import Path

from setuptools import find_packages, setup

BUNDLED = ("resources", "models")


def files_below(folder: str) -> list[str]:
    """Every file below a folder, relative to it: globs would leave out hidden depths."""
    root = Path(__file__).parent / folder
    return [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]


setup(
    packages=[
        *find_packages(include=["retina_viewer", "retina_viewer.*"]),
        *(f"retina_viewer._bundled.{name}" for name in BUNDLED),
    ],
    package_dir={f"retina_viewer._bundled.{name}": name for name in BUNDLED},
    package_data={
        "retina_viewer": ["py.typed"],
        **{f"retina_viewer._bundled.{name}": files_below(name) for name in BUNDLED},
    },
)
