"""The exercises of chapter 14: windows, baselines, floors, scaling, honest splits."""

TITLE = "Time series, honestly"
