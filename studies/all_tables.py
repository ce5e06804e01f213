"""``retina-viewer evaluate tables``: every table of both papers, of one comparison."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.quality.tables import names_in, records_to_csv, write_report
from studies.comparison import Comparison, photographs_below
from studies.comparison_plots import save_plots
from studies.image_table import measure_images
from studies.page import cases_of, page
from studies.report import make_folder
from studies.results import read_results
from studies.superres_summary import reference_of
from studies.vessel_study import Trainer
from studies.vessel_tables import measure_vessels

MakeTrainer = Callable[[Path], tuple[Trainer, int]]
"""From the results' folder to what trains the vessel networks, and the steps of each."""


def evaluate_tables_command(
    data: Sequence[Path],
    out: Path,
    asked: Comparison,
    make_trainer: MakeTrainer,
    *,
    progress: Progress = no_progress,
) -> str:
    """Measure what ``out`` does not hold yet, and write the tables there.

    Everything is kept as soon as it is measured: a run that was broken off, at any point, goes on
    when it is started again. Records of other weights or budgets stay and are not used.

    Args:
        data: folders of sets.
        out: the results; made if missing.
        asked: which tables, methods, scales, sets.
        make_trainer: asked for the vessel networks' trainer when tables 2 or 3 are.

    Returns:
        The tables as Markdown.

    Raises:
        UserError: no data, an unknown method or set, no drawn vessels where they are needed, or
            the folder cannot be written.
    """
    methods = asked.chosen_methods()
    found = photographs_below(data, asked.sets)
    make_folder(out)
    written = []
    share = 0.5 if len(asked.tables) > 1 and 1 in asked.tables else 1.0
    if 1 in asked.tables:
        written.append(measure_images(found, out, asked, progress=part_of(progress, 0.0, share)))
    if 2 in asked.tables or 3 in asked.tables:
        trainer, steps = make_trainer(out)
        later = part_of(progress, share if 1 in asked.tables else 0.0, 1.0)
        written.append(
            measure_vessels(
                found, out, asked, trainer, str(steps), reference_of(methods), progress=later
            )
        )
    results = read_results(out)
    save_plots(results, out / "plots")
    cases = [case.as_record() for case in cases_of(results)]
    if cases:
        write_report(out / "claims.csv", records_to_csv(list(cases[0]), cases))
    return "\n".join(written)


def write_page(out: Path, file: Path) -> None:
    """Make the page of the results in ``out``; its plots go into ``figures`` beside it, and with
    them what readers may want to reckon with: every figure of every photograph as CSV, and the
    provenance of all as JSON.

    An older page is replaced. Every table in ``out`` is taken, of whichever run.

    Raises:
        UserError: ``out`` holds no tables, or the page cannot be written.
    """
    results = read_results(out)
    figures = file.parent / "figures"
    make_folder(figures)
    titles = save_plots(results, figures, f"{file.stem}_")
    for number in sorted(results.keys() - {3}):  # table 3 is of the second's records
        records = results[number].records
        per_image = records_to_csv(names_in(records), records)
        write_report(figures / f"{file.stem}_table{number}_per_image.csv", per_image)
    about = {f"table{number}": one.provenance for number, one in results.items()}
    write_report(figures / f"{file.stem}_provenance.json", json.dumps(about, indent=1) + "\n")
    addresses = {f"figures/{name}": title for name, title in titles.items()}
    write_report(file, page(results, addresses))
