"""A whole verification, in a folder that holds everything needed to resume and to repeat it."""
