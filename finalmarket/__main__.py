"""`python -m finalmarket` is the `finalmarket` command."""

from finalmarket.cli import main

if __name__ == "__main__":
    main()
