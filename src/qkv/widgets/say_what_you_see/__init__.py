"""The widget SayWhatYouSee, a folder for its Python and its JavaScript."""
