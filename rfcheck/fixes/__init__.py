"""What to change, what that will do, and the changed model: a fix a file."""
