"""``python -m merge_link`` and the command ``merge-link``."""


def main() -> None:
    """Run the command line, which needs the extra ``cli``."""
    from merge_link.cli import main as run

    run()


if __name__ == "__main__":
    main()
