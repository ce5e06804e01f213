"""Retina Viewer: super-resolution, saliency and vessels for retinal fundus photographs."""

__version__ = "0.1.0"
