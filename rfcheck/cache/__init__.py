"""Results of earlier runs, shown again without torch where nothing changed since."""
