"""Where errors go: what a person can mend into the banner, bugs into the one dialog."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from retina_viewer.core.errors import mendable
from retina_viewer.core.log import recent_lines
from retina_viewer.ui.dialogs.report_dialog import ReportDialog, report_on
from retina_viewer.ui.widgets.banner import Banner


class Problems(QObject):
    """Shows one problem at a time."""

    def __init__(self, banner: Banner, window: QWidget) -> None:
        super().__init__(window)
        self._banner = banner
        self._window = window
        self.dialog: ReportDialog | None = None

    def show(self, error: BaseException, action: str = "", *, calm: bool = False) -> None:
        """Show an error in the way it deserves.

        Args:
            action: labels the banner's button.
            calm: it is a question, and no failure.
        """
        known = mendable(error)
        if known is not None:
            cause = error.__cause__
            details = f"{type(cause).__name__}: {cause}" if cause is not None else ""
            self._banner.show_problem(known.message, known.hint, details, action, calm=calm)
            return
        if self.dialog is not None:
            return  # the first error is the one to report; others mostly follow from it
        self.dialog = ReportDialog(report_on(error, recent_lines(20)), self._window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.finished.connect(self._closed)
        self.dialog.open()

    def _closed(self) -> None:
        self.dialog = None
