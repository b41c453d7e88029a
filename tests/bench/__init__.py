"""Tests of the benchmarks that ship with the package."""
