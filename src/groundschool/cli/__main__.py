"""``python -m groundschool.cli``: the same as ``ground``."""

from groundschool.cli import main

if __name__ == "__main__":
    main()
