"""Where the frozen program starts."""

import multiprocessing
import sys

from retina_viewer.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a child process of a frozen program is the program itself
    sys.exit(main())
