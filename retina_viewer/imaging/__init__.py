"""Photographs: reading, field of view, colour, degradation, writing. No torch, no Qt."""
