#!/usr/bin/env python3
"""Prints the time, user and item of the first save in the log on standard input; lines that are no events are passed over."""

import json
import sys

for line in sys.stdin:
    try:
        event = json.loads(line)
        if event["type"] == "save":
            print("%d %d %d" % (event["ts"], event["user"]["id"], event["payload"]["item_id"]))
            break
    except (ValueError, TypeError, KeyError):
        continue
