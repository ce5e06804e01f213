"""All methods compared: the tables of both papers; goes on where it stopped."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.quality.tables import names_in, records_to_csv, write_report
from studies.comparison import ITERATIONS, Comparison, photographs_below
from studies.comparison_networks import ComparisonTrainer, iterations_of
from studies.image_table import measure_images
from studies.page import cases_of, page
from studies.plots import save_plots
from studies.report import make_folder, read_results
from studies.superres import reference_of
from studies.vessel_tables import measure_vessels


@dataclass(frozen=True)
class Tables(Comparison):
    """Everything is kept as soon as it is measured: a run that was broken off, at any point, goes
    on when it is started again. Records of other weights or budgets stay and are not used.
    """

    unrecorded = (*Comparison.unrecorded, "page")

    data: Sequence[Path] = option((), flags=("data",), metavar="DATA", help="folders of data sets")
    page: Path | None = option(
        None, metavar="FILE",
        help="write the page of the results in DIR; without DATA, of what is there already",
    )  # fmt: skip

    def measure(self, progress: Progress = no_progress) -> str:
        """Measure what ``out`` does not hold yet, and write the tables, plots and page."""
        if self.page is not None and not self.data:
            write_page(self.out, self.page)
            return f"Written to {self.page}"
        methods = self.chosen_methods()
        found = photographs_below(self.data, self.sets)
        make_folder(self.out)
        written = []
        share = 0.5 if len(self.tables) > 1 and 1 in self.tables else 1.0
        if 1 in self.tables:
            written.append(measure_images(found, self, part_of(progress, 0.0, share)))
        if 2 in self.tables or 3 in self.tables:
            later = part_of(progress, share if 1 in self.tables else 0.0, 1.0)
            trainer, reference = self.trainer(), reference_of(methods)
            written.append(measure_vessels(found, self, trainer, reference, later))
        results = read_results(self.out)
        save_plots(results, self.out / "plots")
        cases = [case.as_record() for case in cases_of(results)]
        if cases:
            write_report(self.out / "claims.csv", records_to_csv(list(cases[0]), cases))
        if self.page is not None:
            write_page(self.out, self.page)
        return "\n".join(written)

    def trainer(self) -> ComparisonTrainer:
        """What trains the vessel networks, each with the same steps."""
        steps = self.iterations or ITERATIONS
        if self.minutes is not None:
            steps = iterations_of(self.minutes, self.out, self.device)
        return ComparisonTrainer(steps, self.device)


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
