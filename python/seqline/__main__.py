"""python3 -m seqline FILE.py: runs the file and prints what it declares as JSON. seq-config calls this."""

import json
import os
import runpy
import sys
import traceback


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python3 -m seqline FILE.py")
    path = sys.argv[1]
    output, sys.stdout = sys.stdout, sys.stderr  # what the file prints is no part of the declarations
    sys.argv = [path]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    try:
        runpy.run_path(path, run_name="__seqline__")
    except (Exception, SystemExit) as error:
        failed = _failure(path, error)
        json.dump({"failed": failed}, output)
        sys.exit(1)
    from .declarations import declarations

    json.dump(declarations(), output)


def _failure(path, error):
    """What Python says, and the innermost place in the user's own code."""
    if isinstance(error, SyntaxError) and error.filename:
        return _described(error.filename, error.lineno, error, error.msg)
    here = os.path.dirname(os.path.abspath(__file__))
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and os.path.basename(frame.filename) != "runpy.py"
        and os.path.dirname(os.path.abspath(frame.filename)) != here
    ]
    if not frames:
        return _described(path, None, error, str(error))
    return _described(frames[-1].filename, frames[-1].lineno, error, str(error))


def _described(path, line, error, message):
    relative = os.path.relpath(path)
    return {
        "file": path if relative.startswith("..") else relative, "line": line,
        "message": ("%s: %s" % (type(error).__name__, message)).replace("\n", " "),
    }


if __name__ == "__main__":
    main()
