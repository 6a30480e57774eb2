"""Owns who may call: software clients, their keys, the organizations they act for, and the tokens they get.

Does not know what a token is used for. Times are always the machine's own, never a moved clock's: a demo that
jumps a year ahead must not make a stolen token valid, nor a good one expire.
"""
