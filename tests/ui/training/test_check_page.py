"""The table of what was found in a clinic's folder."""

from pathlib import Path

import pytest

from retina_viewer.finetuning.intake import Examined
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.training.check_page import PhotographTable, make_view
from retina_viewer.ui.training.draft import Draft

REASON = "No round field of view was found: this may be no fundus photograph."


@pytest.mark.parametrize(("camera", "hidden"), [("", True), ("Topcon NW400", False)])
def test_there_is_a_column_for_cameras_where_one_is_named(
    jobs: Jobs, camera: str, hidden: bool
) -> None:
    table = PhotographTable(Draft(), jobs)
    view = make_view(table)
    table.show_files([Examined(Path("a.png"), "good"), Examined(Path("b.png"), "good")], 1.0)
    assert view.isColumnHidden(3)
    table.show_files([Examined(Path("a.png"), "not fundus", REASON, camera=camera)], 1.0)
    assert view.isColumnHidden(3) is hidden
    assert view.wordWrap()  # the reason is read in the row, not only in its tool tip
    assert table.index(0, 5).data() == REASON
    view.deleteLater()
