"""Patches to ministack, a file per area. Each registers itself with ``registry.patch`` when imported."""
