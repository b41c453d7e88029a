"""Slow, obvious implementations to compare with: plain loops over numbers, written from the equations alone."""
