"""`python -m newsletter` is the same as `newsletter`."""

from newsletter.cli.main import run

if __name__ == "__main__":
    run()
