"""Super-resolution: the Enhancer contract, the cascade, the classical methods, tiles, export."""
