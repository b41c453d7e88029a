"""Stored values of other programs, each with the script that made it."""
