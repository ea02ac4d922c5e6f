"""Tasks whose inputs are vectors of numbers, and whose truth is known."""
