"""What the cases are played with."""
