"""Configuration files: found, read, checked, and laid over each other."""
