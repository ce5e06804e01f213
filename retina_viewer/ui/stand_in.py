"""What stays in view while another setting of the same method is computed."""

from __future__ import annotations

from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.demand import Demand
from retina_viewer.ui.view.picture import ResolvedView
from retina_viewer.ui.view.tile_loader import TileLoader


class StandIn:
    """Remembers the last making that was finished in view.

    Attributes:
        making: what may be shown where tiles are missing; None where nothing may.
    """

    def __init__(self, demand: Demand, tiles: TileLoader, current: EnhanceSettings) -> None:
        self._demand = demand
        self._tiles = tiles
        self._current = current
        self.making: EnhanceSettings | None = None

    def follow(self, view: ResolvedView, making: EnhanceSettings) -> None:
        """Take note of what is made from now on.

        Args:
            view: what was shown until now.
        """
        before = self._current
        if making == before:
            return
        self._current = making
        shown = self._demand.shown_before(view, before)
        was_finished = bool(shown) and self._tiles.sharp(shown[0]) >= 1
        if was_finished and before.can_stand_in_for(making):
            self.making = before
        elif self.making is not None and not self.making.can_stand_in_for(making):
            self.making = None
