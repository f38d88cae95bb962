"""Receipts: what a build looked at and left behind, so that the next one need not be made when all is as it was.

A receipt only saves time: without it, or with one that does not hold, the whole road is taken.
"""
