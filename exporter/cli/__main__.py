"""`python -m exporter.cli` is `chm-exporter`."""

from exporter.cli import main

if __name__ == "__main__":
    main()
