"""Owns HTTP: one file for each tag of the contract, and the edge that every request passes.

Decides nothing about handovers: a handler reads the call, runs one action in one transaction, and renders.
"""
