"""``python -m merge_link`` and the command ``merge-link``."""

import sys


def main() -> None:
    """Run the command line, which needs the extra ``cli``."""
    try:
        import click  # noqa: F401
    except ImportError:
        sys.exit('merge-link: the command line needs click: pip install "merge-link[cli]"')
    from merge_link.cli import main as run

    run()


if __name__ == "__main__":
    main()
