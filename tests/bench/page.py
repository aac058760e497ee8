"""Writes a page of gen/doc when it is complete: what failed half way leaves the one before as it was."""
import sys


def put(path, text, failed=0):
    """To a path, or to stdout where there is none."""
    if not path:
        sys.stdout.write(text)
    elif failed:
        print("%s stays as it was: %d rows failed" % (path, failed), file=sys.stderr)
    else:
        path.write_text(text)
