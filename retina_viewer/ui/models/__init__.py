"""The models of this installation: looked at, chosen, compared, moved, deleted."""
