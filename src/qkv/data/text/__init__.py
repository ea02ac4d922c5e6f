"""Sequences to translate or to go on with, whose alignment or entropy is known."""
