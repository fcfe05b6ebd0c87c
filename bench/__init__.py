"""Timings of Meso's pages at 1 thousand and 100 thousand patients, on both databases (docs/performance.md)."""
