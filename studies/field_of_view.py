"""How well the field of view is found, against the masks of public data sets.

Usage: python studies/field_of_view.py DATA

DATA holds any of DRIVE, CHASE_DB1 and HRF, each with its photographs and masks. Each photograph is
measured as it is, at 1/4 of its size, and as grey; the table gives Dice (median, worst) and the
median time in seconds.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.imaging.readers import open_image


def pairs(data: Path) -> Iterator[tuple[str, Path, Path]]:
    """Set name, photograph, mask."""
    for half in ("training", "test"):
        for photograph in sorted((data / "DRIVE" / half / "images").glob("*.tif")):
            yield (
                "DRIVE",
                photograph,
                data / "DRIVE" / half / "mask" / f"{photograph.stem}_mask.gif",
            )
    for photograph in sorted((data / "CHASE_DB1" / "images").glob("*.jpg")):
        number = photograph.stem.removeprefix("Image_")
        yield "CHASE_DB1", photograph, data / "CHASE_DB1" / "fov_masks" / f"mask_{number}.png"
    for photograph in sorted((data / "HRF" / "images").glob("*.jpg")):
        yield "HRF", photograph, data / "HRF" / "fov" / f"{photograph.stem}.png"


def dice(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """2 |A and B| / (|A| + |B|)."""
    return 2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))


def measure(rgb8: NDArray[np.uint8], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Dice and seconds."""
    start = time.perf_counter()
    view = find_field_of_view(rgb8)
    return dice(view.mask, truth), time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the field of view against given masks.")
    parser.add_argument("data", type=Path)
    found: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
    for name, photograph, mask in pairs(parser.parse_args().data):
        rgb = open_image(photograph).display_rgb
        with Image.open(mask) as image:
            truth = np.asarray(image.convert("L")) > 127
        quarter = (rgb.shape[1] // 4, rgb.shape[0] // 4)
        small = cv2.resize(rgb, quarter, interpolation=cv2.INTER_AREA).astype(np.uint8)
        small_truth = cv2.resize(truth.astype(np.uint8), quarter, interpolation=cv2.INTER_AREA) > 0
        grey = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        for variant, picture, expected in (
            ("as it is", rgb, truth),
            ("1/4 size", small, small_truth),
            ("grey", grey.astype(np.uint8), truth),
        ):
            result = (*measure(picture, np.asarray(expected)), photograph.name)
            found.setdefault((name, variant), []).append(result)
    sys.stdout.write(
        f"{'set':<10} {'variant':<9} {'n':>3} {'median':>7} {'worst':>7} {'s':>6}  worst image\n"
    )
    for (name, variant), results in found.items():
        scores = [score for score, _, _ in results]
        worst = min(results)
        sys.stdout.write(
            f"{name:<10} {variant:<9} {len(results):>3} {np.median(scores):>7.4f} {worst[0]:>7.4f} "
            f"{np.median([seconds for _, seconds, _ in results]):>6.3f}  {worst[2]}\n"
        )
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
