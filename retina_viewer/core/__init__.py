"""Errors, paths, settings, progress and logging: everything below imaging. No torch, no Qt."""
