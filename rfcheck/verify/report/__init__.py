"""A verification as text, as data and as pictures."""
