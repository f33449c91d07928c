"""What frames of an environment show, drawn with NumPy alone."""
