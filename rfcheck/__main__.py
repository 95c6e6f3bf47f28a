"""``python -m rfcheck``."""

from rfcheck.cli import main

if __name__ == "__main__":
    main()
