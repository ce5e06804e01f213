"""Models come and go while the window is open: the choosers and the view follow."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QMenu

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model
from retina_viewer.ui.models.models_controller import ModelsController
from retina_viewer.ui.services import Services
from retina_viewer.ui.training.training_controller import TrainingController
from retina_viewer.ui.view.controller import Controller
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.method_chooser import MethodChooser


class ModelChanges:
    """Brings everything up to what is installed.

    Args:
        choosers: of methods.
    """

    def __init__(
        self,
        services: Services,
        view: View,
        controller: Controller,
        choosers: Sequence[MethodChooser],
    ) -> None:
        self._services, self._view, self._controller = services, view, controller
        self._choosers = choosers
        self._vessels = _vessel_weights()

    def connect(self, menu: QMenu, training: TrainingController, manager: ModelsController) -> None:
        """Follow what is kept, installed and chosen there, and let a menu lead to both."""
        menu.aboutToShow.connect(lambda: training.fill_menu(menu))
        menu.aboutToShow.connect(lambda: manager.fill_menu(menu))
        manager.changed.connect(self.refresh)
        manager.used.connect(self.use)
        manager.retrain_wanted.connect(training.train_from)
        training.kept.connect(self.use)
        training.kept.connect(manager.refresh)

    def refresh(self) -> None:
        """Look again what is installed; what is gone is replaced by its method's default."""
        vessels = _vessel_weights()
        if vessels != self._vessels:
            self._vessels = vessels
            self._view.layers.forget_vessels()
        catalogue = self._services.catalogue()
        for chooser in self._choosers:
            chooser.offer(catalogue.methods)
        self._view.use_catalogue(catalogue)

    def use(self, card: ModelCard) -> None:
        """Enlarge with a model that has just been installed; one for vessels changes nothing
        until it is the default of its task."""
        self.refresh()
        if card.task == "superres":
            self._controller.set_method(card.enhancer_method)
            self._controller.set_network(card.name)


def _vessel_weights() -> str:
    """Of the network that finds vessels, whatever it is called; empty where there is none."""
    try:
        return find_model(default_model("vessels")).weights_sha256
    except UserError:
        return ""
