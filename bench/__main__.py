"""``python -m bench``: measure, print, and write."""

from bench.report import main

if __name__ == "__main__":
    main()
