"""A vessel map as files: the mask, and the probability behind it."""

from pathlib import Path

import numpy as np

from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.writers import write_image, write_sidecar
from retina_viewer.networks.devices import device_name
from retina_viewer.vessels.segment import VesselMap


def export_vessels(
    image: FundusImage, found: VesselMap, mask_path: Path, probability_path: Path
) -> Provenance:
    """Write the vessels of a photograph, both files in the photograph's size.

    Args:
        image: the photograph.
        found: its vessels.
        mask_path: ``.png``, 8-bit grey: 255 where a vessel is, else 0.
        probability_path: ``.png``, 8-bit grey: 0 to 255 for a probability of 0 to 1.

    Returns:
        What was written into both files and beside the mask.

    Raises:
        UserError: a name is taken or cannot be written.
    """
    provenance = Provenance(
        kind="vessels",
        method=f"vessel segmentation, threshold {found.threshold:g}",
        model=found.model,
        model_sha256=found.model_sha256,
        device=device_name(found.device),
        **image.as_source(),
    )
    write_image(mask_path, found.mask.astype(np.uint8) * np.uint8(255), provenance=provenance)
    grey = np.rint(found.probability * np.float32(255)).astype(np.uint8)
    write_image(probability_path, grey, provenance=provenance)
    write_sidecar(mask_path, provenance)
    return provenance
