"""Measures Tsunagi against floors on the same machine, in the same run."""
