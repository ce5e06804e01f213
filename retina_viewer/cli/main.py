"""Parses the command line and runs one verb."""

import argparse
from collections.abc import Sequence

import retina_viewer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code is 0 done, 1 something failed, 2 wrong usage, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="retina-viewer", description=retina_viewer.__doc__)
    parser.add_argument("--version", action="version", version=retina_viewer.__version__)
    parser.parse_args(arguments)
    return 0
