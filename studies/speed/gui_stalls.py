"""How long the window is ever blocked, on the wall clock.

``python -m studies.speed.gui_stalls`` from the project's folder plays a session (open a photograph
of more than 3,000 px, zoom, pan, enhance, layers, tones, layouts, switch) and prints the gaps of a
5 ms timer in the GUI thread. The goal is that none after "start" (where
modules are still imported) is over 100 ms on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from retina_viewer.core.paths import resources_dir
from retina_viewer.core.settings import Settings
from retina_viewer.ui.app import make_window
from retina_viewer.ui.application import make_application
from tests.ui.stalls import Gaps, StallWatch, scripted_session


def main() -> None:
    """Play the session and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", default="bicubic")
    options = parser.parse_args()
    window = make_window(make_application(), Settings(method=options.method, scale=4))
    window.resize(1600, 1000)
    window.show()
    watch = StallWatch()
    samples = resources_dir() / "samples"
    scripted_session(window, samples / "hrf_08_h.jpg", samples / "chase_14L.jpg", watch)
    _print_table(watch.stop())
    window.close()


def _print_table(gaps: Gaps) -> None:
    steps: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for wall, processor, doing in zip(gaps.wall, gaps.processor, gaps.doing, strict=True):
        steps[doing].append((wall, processor))
    steps["all"] = list(zip(gaps.wall, gaps.processor, strict=True))
    print_line("step", "ticks", "wall median", "wall 99 %", "wall max", "GUI thread max")
    for name, values in steps.items():
        walls = sorted(wall for wall, _ in values)
        print_line(
            name,
            str(len(values)),
            *(f"{ms:.1f} ms" for ms in (
                walls[len(walls) // 2],
                walls[int(0.99 * (len(walls) - 1))],
                walls[-1],
                max(processor for _, processor in values),
            )),
        )  # fmt: skip


def print_line(first: str, *rest: str) -> None:
    sys.stdout.write(f"{first:28}" + "".join(f"{text:>16}" for text in rest) + "\n")


if __name__ == "__main__":
    main()
