"""Vessel segmentation: what the network sees, and the map it gives."""
