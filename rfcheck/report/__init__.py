"""From findings to text and data: a format a file."""
