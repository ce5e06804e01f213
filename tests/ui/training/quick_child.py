"""The program, but that its gate leaves out the bundled photographs of other cameras.

They are compared at full size, which takes minutes; what they are for has tests of its own. All
else of a training that the wizard's tests start is what a person's training is.
"""

import sys

import retina_viewer.quality.gate
from retina_viewer.cli import main

if __name__ == "__main__":
    retina_viewer.quality.gate.general_photographs = lambda task: []
    sys.exit(main())
