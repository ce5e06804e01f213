"""Training: the recipe, the data cache, patches and degradation, losses, one loop, checkpoints."""
