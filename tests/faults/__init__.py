"""What happens when things break: kill -9, a full disk, a database that goes, many at once. Run with `python -m tests.faults`."""
