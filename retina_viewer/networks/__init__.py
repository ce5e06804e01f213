"""The networks: one file each, one paper each. Shapes stand in every forward."""
