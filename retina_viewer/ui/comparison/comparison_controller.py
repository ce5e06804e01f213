"""Comparing: two to four results beside each other on the window's stage, at the same place.

The results are those of the view's state, so all that a view can do works here too. What is added
is which results they are, what they are measured against, and the picture that is saved of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog

from retina_viewer.core.geometry import Rect
from retina_viewer.core.names import free_paths
from retina_viewer.core.progress import Progress
from retina_viewer.core.settings import Settings
from retina_viewer.superres.enhance_settings import SCALES, Scale
from retina_viewer.ui.canvas.tile_requests import is_worthwhile, scale_for
from retina_viewer.ui.catalogue import ResultChoice
from retina_viewer.ui.comparison.choice import LEAST_RESULTS, Choices, Offer, put
from retina_viewer.ui.comparison.exporting import ComparisonRequest, Part, write_comparison
from retina_viewer.ui.comparison.header import FOOT, ROWS, FiguresStrip, Header
from retina_viewer.ui.comparison.measuring import KEY as FIGURES
from retina_viewer.ui.comparison.measuring import Measuring, best_of, why_not
from retina_viewer.ui.comparison.reference import KEY as REFERENCE
from retina_viewer.ui.comparison.reference import TONED, References
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.installed_models import InstalledModels, ModelEntry
from retina_viewer.ui.opening import FILTER
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.arrange import Arrangement
from retina_viewer.ui.view.picture import Picture
from retina_viewer.ui.view.stage import Stage
from retina_viewer.ui.view.state import MOST_RESULTS, ORIGINAL
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.layout import delayed

SAVING = "comparison export"
JOBS = (REFERENCE, TONED, SAVING, FIGURES)
BLINK_MS = 700
"""Long enough to look at a place, short enough to remember it."""
REST_MS = 300
"""Figures wait until the eye rests."""
OF_VESSELS = "What looks better need not be truer: the models' cards say what was measured."


class ComparisonController(QObject):
    """See the module. Its public methods are what the person does."""

    problem = Signal(object)
    """(Exception)"""

    def __init__(
        self, view: View, stage: Stage, services: Services, jobs: Jobs, settings: Settings
    ) -> None:
        super().__init__(view)
        self._view, self._services, self._jobs, self._settings = view, services, jobs, settings
        self._before = (view.state.arrangement, view.state.original_shown)
        self.is_shown = False
        self.offer = Offer(())
        self.header = Header()
        self.strips = [FiguresStrip() for _ in range(MOST_RESULTS)]
        stage.use_feet(self.strips)
        self.reference = References(view, services, jobs, self)
        self.measuring = Measuring(services, jobs, view.enhancers, self)
        self._blinking = QTimer(self, interval=BLINK_MS)
        self._rest = delayed(self, REST_MS, self._measure)
        self._connect()

    def _connect(self) -> None:
        view, header, reference = self._view, self.header, self.reference
        reference.changed.connect(self._reference_changed)
        reference.problem.connect(self.problem)
        view.changed.connect(self._view_changed)
        self.measuring.changed.connect(self._show_figures)
        self._blinking.timeout.connect(self.show_next)
        header.chips.toggled.connect(self.toggle_result)
        header.original.clicked.connect(self.show_original)
        header.from_file.triggered.connect(self.ask_for_reference)
        header.file_dropped.connect(reference.open)
        header.itself.triggered.connect(reference.use_photo_itself)
        header.no_reference.triggered.connect(reference.clear)
        header.blink.toggled.connect(self._blink)
        header.swap.clicked.connect(self.swap)
        header.save.clicked.connect(self.save)
        header.close_button.clicked.connect(self.stop)

    # Beginning and ending

    def toggle(self) -> None:
        """Compare methods, or show the active result alone again."""
        self.stop() if self.is_shown else self.start()

    def start(self) -> None:
        """The active result beside another method's."""
        offer = Offer.of_methods(self._view.catalogue)
        self._start(offer, offer.begun(self._view.state.result, self._view.catalogue))

    def start_models(self, entries: Sequence[ModelEntry], names: tuple[str, str]) -> None:
        """Models of one task beside each other, at first these two."""
        offer = Offer.of_task(entries, self._alone_again)
        options = [one for name in names for one in offer.options if one.key == name]
        if any(self._view.catalogue.still(one.choice) != one.choice for one in options):
            self._view.use_catalogue(self._services.catalogue())  # installed from elsewhere
        chosen = self._view.state.scale
        fitting = [
            scale
            for scale in SCALES
            if scale <= chosen and all(scale in one.scales for one in options)
        ]
        results = tuple(one.choice for one in options)
        self._start(offer, results, max(fitting, default=chosen))

    def _start(self, offer: Offer, results: Choices, scale: Scale | None = None) -> None:
        view, state = self._view, self._view.state
        if view.photo is None or len(results) < LEAST_RESULTS or not view.may_enlarge():
            return
        if not self.is_shown:
            self._before = (state.arrangement, state.original_shown)
        if state.arrangement is Arrangement.SLIDER:
            state.arrangement = Arrangement.AUTO
        self.is_shown, self.offer = True, offer
        state.active, state.results = 0, results
        state.scale = scale or state.scale
        if not self.can_measure:
            self.reference.clear()  # vessels are found in the photograph as it is
        self.header.show()
        self._show()
        view.apply()

    def stop(self) -> None:
        """One result again: the active one, with the photograph as it is."""
        if not self.is_shown:
            return
        view, state = self._view, self._view.state
        self.is_shown = False
        self._end()
        state.results, state.active = (self._alone_again,), 0
        state.arrangement, state.original_shown = self._before
        self.header.hide()
        view.apply()

    @property
    def _alone_again(self) -> ResultChoice:
        """The active result as it is when nothing is compared."""
        return self._view.state.result.changed(vessels=None, title="")

    def _end(self) -> None:
        """Compute nothing more."""
        self._alone(None)
        self._rest.stop()
        for key in JOBS:
            self._jobs.cancel(key)
        self.measuring.show(None, (), Rect(0, 0, 0, 0))
        self.reference.clear()
        self.header.say("")

    # Which results

    def toggle_result(self, key: str) -> None:
        """Add a method or model, or take it away, where that can be."""
        state = self._view.state
        self._put(self.offer.toggled(key, state.results, state.scale))

    def swap(self) -> None:
        """Every result goes one place to the left, the first to the end; of two, they swap."""
        results = self._view.state.results
        if self.is_shown:
            self._put((*results[1:], results[0]))

    def show_original(self, on: bool) -> None:
        self._view.state.original_shown = on
        self._view.apply()

    def use_models(self, installed: InstalledModels) -> None:
        """Other models are installed, or called so, than before."""
        task = self.offer.task
        if self.is_shown and task is not None:
            self._offer(Offer.of_task(installed.of(task), self._alone_again))

    def _offer(self, offer: Offer) -> None:
        self.offer = offer
        kept = offer.kept(self._view.state.results)
        if len(kept) < LEAST_RESULTS:
            self.stop()
        else:
            self._put(kept)

    def _put(self, results: Choices) -> None:
        put(self._view.state, results)
        self._show()
        self._view.apply()

    # One alone

    def show_alone(self, number: int) -> None:
        """The n-th result alone."""
        if self.is_shown and number <= len(self._view.state.results):
            self._alone(number)

    def show_all(self) -> bool:
        """Show all again, where one was alone; whether that was so."""
        was_alone = self.is_shown and self._view.state.alone is not None
        if was_alone:
            self._alone(None)
        return was_alone

    def show_next(self, step: int = 1) -> None:
        """The next cell in the place of the one before; of all, the first."""
        state = self._view.state
        if not self.is_shown:
            return
        places = list(range(ORIGINAL if state.original_shown else 1, len(state.results) + 1))
        at = places.index(state.alone) + step if state.alone in places else 0
        state.alone = places[at % len(places)]
        self._view.apply()

    def toggle_blink(self) -> None:
        """Go on by the clock, or stop and show all."""
        if self.is_shown:
            self.header.blink.toggle()

    def _blink(self, on: bool) -> None:
        if on:
            self._blinking.start()
            self.show_next()
        elif self._blinking.isActive():
            self._alone(None)

    def _alone(self, place: int | None) -> None:
        self._blinking.stop()
        self.header.blink.setChecked(False)
        self._view.state.alone = place
        self._view.apply()

    # What they are measured against

    @property
    def can_measure(self) -> bool:
        """Whether enlargements are compared."""
        state, data = self._view.state, self._view.data
        has_vessels = any(one.vessels is not None for one in state.results)
        return self.is_shown and data.photo is not None and not data.needs_yes and not has_vessels

    def ask_for_reference(self) -> None:
        """Let the person choose a file."""
        if self.can_measure:
            window = self.header.window()
            path, _ = QFileDialog.getOpenFileName(window, "A larger photograph", "", FILTER)
            if path:
                self.reference.open(Path(path))

    def _reference_changed(self) -> None:
        self._view.state.feet = FOOT if self.is_shown and self.reference.truth is not None else 0
        self._view.apply()
        self._show()
        self._rest.start()

    # What changes

    def _view_changed(self, old: Picture, new: Picture) -> None:
        if not self.is_shown:
            return
        if new.catalogue is not old.catalogue and self.offer.task is None:
            self._offer(Offer.of_methods(new.catalogue))
        if new.scale != old.scale:
            self.reference.scale_changed()
        elif new.tone is not old.tone and self.reference.truth is not None:
            self.reference.follow()
        if (new.results, new.original_shown) != (old.results, old.original_shown):
            self._show()
        self._show_figures()
        self._rest.start()

    def retry(self) -> None:
        """Try again what has failed."""
        self.measuring.retry()
        self._rest.start()

    # Showing it

    def _show(self) -> None:
        state = self._view.state
        self.header.show_choice(
            self.offer, state.results, state.scale, original_shown=state.original_shown
        )
        words = self.reference.words
        if any(one.vessels is not None for one in state.results):
            words = OF_VESSELS
        self.header.show_reference(
            words, can_measure=self.can_measure, is_given=self.reference.is_given
        )

    @property
    def region(self) -> Rect:
        """What all cells show, in source pixels."""
        picture, ratio = self._view.picture, self._view.data.ratio
        cells = [cell for cell in picture.cells if cell.place != ORIGINAL] or picture.cells
        parts = [
            picture.camera.visible(cell.rect.width * ratio, cell.rect.height * ratio, picture.image)
            for cell in cells
        ]
        return reduce(Rect.intersected, parts)

    def _measure(self) -> None:
        """Once all results are finished: the figures must not keep the pictures waiting."""
        results = self._view.picture.results
        if self.is_shown and all(one.sharp >= 1 for one in results):
            self.measuring.show(
                self.reference.truth, [one.settings for one in results], self.region
            )

    def _show_figures(self) -> None:
        truth, results = self.reference.truth, self._view.picture.results
        if truth is None:
            return
        for row, region in enumerate((self.region, truth.photo.bounds)):
            measuring, reason = self.measuring, why_not(truth, region)
            known = [measuring.figures(truth, one.settings, region) for one in results]
            best = best_of(known)
            for place, (result, figures) in enumerate(zip(results, known, strict=True)):
                failed = measuring.has_failed(truth, result.settings, region)
                instead = reason or ("failed" if failed else "…")
                strip = self.strips[place]
                strip.setAccessibleName(f"Figures of {result.title}, {ROWS[row].lower()}")
                strip.show_figures(row, figures, instead, [place in one for one in best])

    # The picture

    @property
    def request(self) -> ComparisonRequest | None:
        """What would be saved; None where nothing is enlarged."""
        picture, photo, opened = self._view.picture, self._view.photo, self.reference.opened
        if photo is None or opened is None or not is_worthwhile(picture.camera, photo.bounds):
            return None
        region, truth = self.region, self.reference.truth
        parts = [
            Part(one.title, one.settings, one.learned,
                 self.measuring.figures(truth, one.settings, region))
            for one in picture.results
        ]  # fmt: skip
        scale = scale_for(picture.camera, picture.scale)
        return ComparisonRequest(opened.image, photo, region, scale, parts, truth)

    def save(self) -> None:
        """Ask for a name and write the picture in the background."""
        if not self.is_shown or not self.can_measure:
            return
        request = self.request
        if request is None:
            self.header.say("Nothing is enlarged here to be saved: zoom in first.")
            return
        beside = request.source.path.parent if request.source.path is not None else Path.home()
        folder = self._settings.export_folder or beside
        suggested = free_paths(folder, [request.file_name])[0]
        window = self.header.window()
        chosen, _ = QFileDialog.getSaveFileName(
            window, "Save the comparison", str(suggested), "PNG (*.png)"
        )
        if chosen:
            self._write(request, Path(chosen))

    def _write(self, request: ComparisonRequest, path: Path) -> None:
        if path.suffix.lower() != ".png":  # a name that the dialog has not asked about
            path = free_paths(path.parent, [f"{path.name}.png"])[0]
        enhancers, services = self._view.enhancers, self._services

        def work(progress: Progress) -> Path:
            return write_comparison(request, path, enhancers, services, progress)

        def done(path: Path) -> None:
            self._settings.export_folder = path.parent
            self.header.say(f"Written: {path.name}, and how it was made: {path.name}.json")

        def failed(error: Exception) -> None:
            self.header.say("")
            self.problem.emit(error)

        self.header.say(f"Writing {path.name}")
        self._jobs.submit(SAVING, work, done, failed=failed, title="comparison")

    def use_icons(self, icons: Icons) -> None:
        """Of the header."""
        self.header.use_icons(icons)
