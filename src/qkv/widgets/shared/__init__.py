"""What the widgets share in Python."""
