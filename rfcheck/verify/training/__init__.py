"""The training loop, and how it survives being interrupted."""
