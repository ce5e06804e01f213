"""The command line: one typed function a verb, each calling the verb of the package.

Importing this package is cheap; a verb's function imports what it needs when it runs.
"""

from retina_viewer.cli.main import main

__all__ = ["main"]
