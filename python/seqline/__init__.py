"""Declare what Seqline makes of raw user events; `seq-config compile FILE.py` turns the declarations into JSON.

    from seqline import Source, Lookup, EventType, Sequence, Derive, Counter, Session, Gap, Merge, MultiHot, Objects, Store

A file of definitions is plain Python: loops, functions and imports are welcome. Every object declares itself when it is
made. Nothing is checked here: seq-config checks everything at once and names the line of each fault.
"""

from .declarations import (
    Counter, Derive, EventType, Gap, Lookup, Merge, MultiHot, Objects, Sequence, Session, Source, Store)

__all__ = [
    "Counter", "Derive", "EventType", "Gap", "Lookup", "Merge", "MultiHot", "Objects", "Sequence", "Session", "Source",
    "Store"]
