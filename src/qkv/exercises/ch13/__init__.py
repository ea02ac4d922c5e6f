"""The exercises of chapter 13: words for a picture, and how it is drawn."""

TITLE = "A picture is a sentence, too"
