"""The window: everything that knows Qt. ``ui.app`` starts it, ``ui.window`` wires it."""
