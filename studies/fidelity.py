"""Where the fidelity slider should stand: a sweep over its positions, on validation photographs."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.quality.calibration import FIELD_DIAMETERS
from retina_viewer.quality.datasets import Photograph, subset_of
from retina_viewer.quality.protocols import Condition, Scenes
from retina_viewer.quality.tables import Record, RecordLog, Table
from studies.contenders import Contenders
from studies.data_folders import find_photographs
from studies.fidelity_choice import choose, summarise
from studies.measuring import Job, measure_all
from studies.perceptual import Perceptual
from studies.report import command_line, make_folder, provenance, write_tables
from studies.superres import figures_of

METHOD = "saliency-gan"
POSITIONS = tuple(tenth / 10 for tenth in range(11))
_KEY = ("dataset", "photograph", "diameter", "kernel", "scale", "fidelity", "model")


def validation_photographs(photographs: Sequence[Photograph]) -> list[Photograph]:
    """Those on which choices rest.

    Raises:
        UserError: there is none.
    """
    chosen = [one for one in photographs if subset_of(one) == "validation"]
    if not chosen:
        raise UserError(
            "The data folder holds no validation photographs.",
            "The default is chosen on CHASE_DB1 09 and 10, HRF 07, FIVES 27_A and IDRiD 45 to 48.",
        )
    return chosen


def scenes_of(photographs: Sequence[Photograph]) -> list[Scenes]:
    """Each photograph with a field of view of 540, 760 or 1000 pixels, in turn within its set."""
    counts: dict[str, int] = {}
    found: list[Scenes] = []
    for photograph in photographs:
        number = counts.get(photograph.dataset, 0)
        counts[photograph.dataset] = number + 1
        # The sets begin at different sizes, so that each size meets several cameras.
        turn = (number + len(counts)) % len(FIELD_DIAMETERS)
        found.append(Scenes(photograph, FIELD_DIAMETERS[turn]))
    return found


def sweep(
    photographs: Sequence[Photograph],
    contenders: Mapping[float, Contenders],
    perceptual: Perceptual,
    *,
    log: RecordLog | None = None,
    progress: Progress = no_progress,
) -> list[Record]:
    """Measure every position of the slider under every condition on every photograph.

    Args:
        photographs: for a choice, validation photographs.
        contenders: by fidelity, each of the method ``saliency-gan`` and the same conditions.

    Returns:
        One record a photograph, condition and fidelity: the names of
        :func:`~studies.superres.figures_of`, and who.
    """
    identities = {fidelity: one.identities()[METHOD] for fidelity, one in contenders.items()}
    conditions = next(iter(contenders.values())).conditions

    def job(scenes: Scenes, condition: Condition, fidelity: float) -> Job:
        who: Record = {
            "dataset": scenes.photograph.dataset,
            "photograph": scenes.photograph.id,
            "diameter": scenes.diameter or 0,
            "kernel": condition.kernel,
            "scale": condition.scale,
            "fidelity": fidelity,
            "model": identities[fidelity],
        }

        def measured() -> Record:
            enhancer = contenders[fidelity].enhancer(METHOD, condition)
            return figures_of(enhancer, scenes.scene(condition), perceptual)

        return Job(who, measured, ("lpips",))

    jobs = [
        job(scenes, condition, fidelity)
        for scenes in scenes_of(photographs)
        for condition, fidelity in product(conditions, contenders)
    ]
    return measure_all(jobs, log=log, progress=progress)


def evaluate_fidelity_command(
    data: Path,
    out: Path,
    *,
    model: str,
    scales: Sequence[int] = (2, 4, 8, 16),
    kernels: Sequence[Kernel] = ("gaussian",),
    limit: int | None = None,
    back_projection: bool = True,
    device: str = "auto",
    progress: Progress = no_progress,
) -> str:
    """``retina-viewer evaluate fidelity DATA``: sweep, choose, write, return the Markdown table.

    Measures on the validation photographs, never on held-out ones: the choice is part of the
    training. Writes ``fidelity.md``, ``fidelity.csv``, ``fidelity_per_image.csv``,
    ``fidelity.json`` and ``fidelity_records.jsonl``, from which an interrupted run continues,
    into ``out``.

    Args:
        data: a folder of set folders, or one set folder.
        out: where the report goes; an older report there is replaced.
        model: a saliency GAN's name.
        limit: at most so many photographs of each set.

    Raises:
        UserError: no data, no such model or one without a twin, or the report cannot be written.
    """
    photographs = _limited(validation_photographs(find_photographs(data)), limit)
    conditions = [Condition("native", kernel, scale) for kernel, scale in product(kernels, scales)]
    contenders = {
        fidelity: Contenders(
            (METHOD,), conditions, (), model, device,
            fidelity=fidelity, back_projection=back_projection,
        )
        for fidelity in POSITIONS
    }  # fmt: skip
    models = {f"fidelity {at:g}": one.models()[METHOD] for at, one in contenders.items()}
    make_folder(out)
    log = RecordLog(out / "fidelity_records.jsonl", _KEY)
    records = sweep(photographs, contenders, Perceptual(device), log=log, progress=progress)
    options = {
        "model": model, "scales": scales, "kernels": kernels, "limit": limit,
        "no-back-projection": not back_projection,
    }  # fmt: skip
    about = provenance(command_line("fidelity", options), photographs, models)
    table: Table = summarise(records)
    about["chosen_fidelity"] = choose(table.rows)
    return write_tables(out, "fidelity", [table], records, about)


def _limited(photographs: Sequence[Photograph], limit: int | None) -> list[Photograph]:
    counts: dict[str, int] = {}
    chosen: list[Photograph] = []
    for photograph in photographs:
        counts[photograph.dataset] = counts.get(photograph.dataset, 0) + 1
        if limit is None or counts[photograph.dataset] <= limit:
            chosen.append(photograph)
    return chosen
