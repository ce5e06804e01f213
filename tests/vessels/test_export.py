"""A vessel map as files."""

from pathlib import Path

import numpy as np
from PIL import Image

from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.writers import read_provenance
from retina_viewer.vessels.segment import VesselMap, export_vessels


def test_mask_and_probability_are_eight_bit_grey_of_the_photographs_size(
    samples: Path, tmp_path: Path
) -> None:
    with Image.open(samples / "chase_14L_vessels.png") as label:
        truth = np.asarray(label.convert("L").resize((250, 240), Image.Resampling.BOX))
    probability = truth.astype(np.float32) / np.float32(255)
    found = VesselMap(probability, probability >= 0.4, 0.1, 0.4, "veins", "ef" * 32, "cpu")
    image = FundusImage.from_array(np.dstack([truth] * 3), "eye.png")
    mask_path, probability_path = tmp_path / "mask.png", tmp_path / "probability.png"
    provenance = export_vessels(image, found, mask_path, probability_path)

    with Image.open(mask_path) as written:
        assert (written.mode, written.size) == ("L", (250, 240))
        np.testing.assert_array_equal(np.asarray(written) == 255, found.mask)
        assert set(np.unique(np.asarray(written))) == {0, 255}
    with Image.open(probability_path) as written:
        assert written.mode == "L"
        np.testing.assert_array_equal(np.asarray(written), truth)

    assert read_provenance(mask_path) == read_provenance(probability_path) == provenance
    assert (provenance.model, provenance.model_sha256) == ("veins", "ef" * 32)
    assert "threshold 0.4" in provenance.method
    assert "neural network" in provenance.statement
    assert (tmp_path / "mask.png.json").is_file()
