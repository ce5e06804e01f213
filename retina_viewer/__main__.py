"""``python -m retina_viewer``."""

import sys

from retina_viewer.cli import main

if __name__ == "__main__":
    sys.exit(main())
