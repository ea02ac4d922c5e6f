"""Images to classify: handwritten digits, alone and in clutter."""
