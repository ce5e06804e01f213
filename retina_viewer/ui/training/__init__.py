"""The training wizard, and the trainings that run behind it."""
