"""Where is computed: what this computer offers, and what the person chooses of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.panels.toolbar import Toolbar
from retina_viewer.ui.services import DeviceInfo, Services
from retina_viewer.ui.view.view import Viewer


class DeviceChoice(QObject):
    """Between the toolbar's list and the viewer."""

    def __init__(
        self, services: Services, jobs: Jobs, viewer: Viewer, toolbar: Toolbar, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._services, self._jobs = services, jobs
        self._viewer, self._toolbar = viewer, toolbar
        toolbar.device_chosen.connect(self._choose)

    def look(self) -> None:
        """List what there is; in the background, since a GPU's driver takes seconds to answer."""
        self._jobs.submit("devices", lambda progress: self._services.devices(), self._show)

    def _show(self, devices: Sequence[DeviceInfo]) -> None:
        self._toolbar.show_devices(devices, self._viewer.device)

    def _choose(self, device: str) -> None:
        self._viewer.choose_device(device)
        self._toolbar.show_device(device)
