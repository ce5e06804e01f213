"""Crops of the bundled photographs as they are, enlarged x4: to be looked at, not measured.

From left to right: bicubic, the pixel-trained network, the saliency GAN at its default fidelity,
and at fidelity 0. The photographs' own noise and compression are in them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from retina_viewer.core.geometry import Rect
from retina_viewer.core.options import option
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import to_8bit
from retina_viewer.imaging.readers import open_image
from retina_viewer.superres.enhance_settings import EnhanceSettings, Scale
from retina_viewer.superres.methods import make_enhancer
from studies.study import Study

SCALE: Scale = 4
PLACES = {
    "chase_14L.jpg": Rect(560, 420, 100, 100),
    "idrid_53_half.jpg": Rect(700, 560, 100, 100),
    "hrf_08_h.jpg": Rect(560, 420, 100, 100),
}
COLUMNS = (("bicubic", None), ("pixel", None), ("saliency-gan", None), ("saliency-gan", 0.0))


@dataclass(frozen=True)
class Crops(Study):
    out: Path = option(Path("docs/images"), flags=("out",), metavar="DIR", help="for the pictures")

    def measure(self, progress: Progress = no_progress) -> str:
        for name, place in PLACES.items():
            rgb = open_image(resources_dir() / "samples" / name).unit_rgb()
            made = [
                make_enhancer(EnhanceSettings(method, SCALE, fidelity=fidelity))
                .fitted_to(rgb)
                .enhance_region(rgb, place)
                for method, fidelity in COLUMNS
            ]
            picture = Image.fromarray(to_8bit(np.hstack(made)))
            picture.save(self.out / f"crops_{Path(name).stem}.jpg", quality=92)
        return f"Written to {self.out}"
