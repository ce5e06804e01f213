"""The window: everything that knows Qt. ``ui.app`` starts it, ``ui.window`` wires it."""

# Before Qt: on Windows, torch's libraries do not load into a process that has loaded Qt's.
import torch  # noqa: F401
