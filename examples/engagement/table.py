#!/usr/bin/env python3
"""Prints an answer of seq-serve with layout=columns, on standard input, as a table."""

import json
import sys

answer = json.load(sys.stdin)
columns = answer["events"]
rows = [list(columns)] + [["" if value is None else str(value) for value in row] for row in zip(*columns.values())]
widths = [max(len(row[k]) for row in rows) for k in range(len(columns))]
print("%(sequence)s of user %(user)s, until %(until)s" % answer)
for number, row in enumerate(rows):
    print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    if number == 0:
        print("  " + "  ".join("-" * width for width in widths))
