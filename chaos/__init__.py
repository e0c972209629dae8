"""Breaks a running Carebook on purpose: `python -m chaos` kills, fills disks and turns clocks.

A whole installation runs in a directory of its own, as an operator would run it, and people work
with it over HTTP all the time. After each round the database is compared with what was promised:
every acknowledged write is there once, every job has ended with a reason, everything runs again.
"""
