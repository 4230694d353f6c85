"""`python -m dauys`: the same command tree as ./dauys."""

from dauys.cli.main import main

if __name__ == "__main__":
    main()
