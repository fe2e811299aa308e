"""The objects that a file of definitions makes, and the JSON that seq-config reads."""

import os
import sys
from collections.abc import Mapping

_HERE = os.path.dirname(os.path.abspath(__file__))
_declared = {"source": [], "lookup": [], "event_type": [], "sequence": [], "store": []}


def _place():
    """The file and line outside this package that made the object."""
    frame = sys._getframe(1)
    while frame.f_back and os.path.dirname(os.path.abspath(frame.f_code.co_filename)) == _HERE:
        frame = frame.f_back
    path = frame.f_code.co_filename
    relative = os.path.relpath(path)
    return {"file": path if relative.startswith("..") else relative, "line": frame.f_lineno}


def _plain(value):
    """A value as JSON; what JSON cannot hold is named, for the error message."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, float) and abs(value) < float("inf"):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(element) for element in value]
    if isinstance(value, Mapping):
        return {"entries": [[_plain(key), _plain(element)] for key, element in value.items()]}
    if isinstance(value, (_Named, _Step)):
        return value._json()
    return {"python": type(value).__name__}


class _Named:
    """Something with a name of its own that others refer to."""

    _kind = ""

    def __init__(self, name, **members):
        self.name = name
        self._members = members
        self._at = _place()
        _declared[self._kind].append(self)

    def _json(self):
        return {"ref": self._kind, "name": _plain(self.name)}

    def _declaration(self):
        members = {key: _plain(value) for key, value in self._members.items()}
        return {"at": self._at, "name": _plain(self.name), **members}

    def __repr__(self):
        return "%s(%r)" % (type(self).__name__, self.name)


class _Step:
    """A part of a definition: it belongs to the one it is given to."""

    def __init__(self, kind, **members):
        self._members = dict(members, kind=kind)

    def _json(self):
        return {key: _plain(value) for key, value in self._members.items()}


class Source(_Named):
    """A log of raw events, one JSON object a line.

    name      how messages and other definitions call it
    path      its files; {date} stands for the day of arrival (2026-11-20), * for any text without a slash
    fields    what is read from each event: {path: type}. A path joins keys by dots and marks an array with brackets,
              payload.commits[].sha; its type is that of one element. Types: bool, int8 ... int64, uint8 ... uint64,
              float32, float64, string, timestamp[s|ms|us|rfc3339], json, list<T>, T[n]
    user, ts, id
              the fields of the user's key (an integer or a string), of the event's time, and of the event's own id
    revision  the field that counts corrections of an event, from 0
    arrival   the field of the time when the event arrived (default: its ts)
    type      the field that tells kinds of events apart
    lateness  how much later than it happened an event may arrive: "3d"
    """

    _kind = "source"

    def __init__(self, name, *, path, user, ts, id, lateness, fields, revision=None, arrival=None, type=None):
        super().__init__(
            name, path=path, user=user, ts=ts, id=id, lateness=lateness, fields=fields, revision=revision,
            arrival=arrival, type=type)


class Lookup(_Named):
    """A table whose rows enrich events.

    table     a Parquet, NDJSON or CSV file, relative to the directory that seq-enrich is given
    key       the table's key column; "code: string" when its keys are no integers
    as_of     the table's column of the time from which a row holds: an event gets the latest row not after it;
              "created_ts: timestamp[ms]" when the table writes it as a number
    columns   what to take: {name: type}, or {name: "column: type"} when the table calls it otherwise. Types: bool,
              int8 ... int64, uint8 ... uint64, float16, float32, float64, string, timestamp[us, UTC], list<T>, T[n]
    quantize  {name: "float16"} or {name: "int8"}: store the elements of an embedding in less space; int8 adds a column
              NAME_scale that each element is to be multiplied by
    """

    _kind = "lookup"

    def __init__(self, name, *, table, key, columns, as_of=None, quantize=None):
        super().__init__(name, table=table, key=key, columns=columns, as_of=as_of, quantize=quantize or {})

    def on(self, column, prefix="", at="index"):
        """Looks the values of the event's `column` up; `prefix` goes before the names of the columns added.

        at  "index": before the event is stored; "request": when it is read, from the table as it is then
        """
        return _Step("lookup", lookup=self, on=column, prefix=prefix, at=at)


class EventType(_Named):
    """What becomes of one kind of raw event.

    source       the Source that it is read from
    owner        the team that answers for it
    retention    how long an event is kept: "365d"
    dataset      the table that holds its events; event types with the same columns may share one (default: its name)
    where        a CEL expression over the source's fields: the events for which it is true are kept
    columns      {name: CEL expression}; a field's path is an expression
    explode      the path of an array: each of its elements becomes a record, with its index as element_index
    explode_key  a CEL expression whose value tells the elements of one event apart (default: element_index)
    enrich       LOOKUP.on(column) and Derive(name, expression); each may use the columns of the others
    """

    _kind = "event_type"

    def __init__(self, name, *, source, owner, retention, columns, dataset=None, where="true", explode=None,
                 explode_key=None, enrich=()):
        super().__init__(
            name, source=source, owner=owner, retention=retention, columns=columns,
            dataset=name if dataset is None else dataset, where=where, explode=explode, explode_key=explode_key,
            enrich=enrich)


class Sequence(_Named):
    """The last events of a user, of some types and columns.

    owner         the team that answers for it
    events        the EventTypes, or their names
    columns       the datasets' columns to show, system columns (ts, event_type, ...) included
    max_length    the most events a user's sequence has
    stage         "development", "staging" or "production"
    version       counts breaking changes, from 1
    where         a CEL expression over the datasets' columns: the events for which it is true are in the sequence
    caps          {event type: the most events of it}
    window        only events of this long before the sequence's end: "90d"
    derive        Counter, Session and Gap columns
    merge         a Merge: events of one item that lie close together are given out as one
    objects       an Objects: the sequence can also be asked for as a row per item
    freshness     the promise how long after its arrival an event can be read: "1s"
    completeness  the promise how much can be read how long after it happened: "99.9% after 1d"
    """

    _kind = "sequence"

    def __init__(self, name, *, owner, events, columns, max_length, stage="development", version=1, where=None,
                 caps=None, window=None, derive=(), merge=None, objects=None, freshness=None, completeness=None):
        super().__init__(
            name, owner=owner, events=events, columns=columns, max_length=max_length, stage=stage, version=version,
            where=where, caps=_named_caps(caps or {}), window=window, derive=derive, merge=merge,
            objects=objects, freshness=freshness, completeness=completeness)


def _named_caps(caps):
    """Caps may be keyed by the event types themselves."""
    if not isinstance(caps, Mapping):
        return caps
    return {key.name if isinstance(key, EventType) else key: value for key, value in caps.items()}


class Derive(_Step):
    """A column that a CEL expression computes from the event's other columns.

    at  "index": before the event is stored; "request": when it is read
    """

    def __init__(self, name, expression, at="index"):
        super().__init__("derive", name=name, expression=expression, at=at)


class Counter(_Step):
    """Over all the user's events of the sequence before this one: "count", or "sum", "mean", "min", "max" of a column.

    where   only events for which this CEL expression is true
    window  only events of this long before this one: "1h"
    """

    def __init__(self, name, aggregate="count", column=None, *, where=None, window=None):
        super().__init__("counter", name=name, aggregate=aggregate, column=column, where=where, window=window)


class Session(_Step):
    """The time at which the event's session began: a pause longer than `gap` begins a new one."""

    def __init__(self, name, *, gap):
        super().__init__("session", name=name, gap=gap)


class Gap(_Step):
    """Microseconds since the event before this one, or since the last one for which `where` is true."""

    def __init__(self, name, *, where=None):
        super().__init__("gap", name=name, where=where)


class Merge(_Step):
    """Of the events with the same value of the column `key` that lie close together the newest is given out.

    within   how much older than the newest of them an event may be: "1d"
    actions  a MultiHot column over all of them
    """

    def __init__(self, key, *, within, actions=None):
        super().__init__("merge", key=key, within=within, actions=actions)


class MultiHot(_Step):
    """A column with a number for each of `values`: 1 where an event has it in `column`, else 0."""

    def __init__(self, column, values, *, name):
        super().__init__("multihot", name=name, column=column, values=values)


class Objects(_Step):
    """A row per value of the column `key`: its first and last event's ts, how many there are, how many of each type."""

    def __init__(self, key):
        super().__init__("objects", key=key)


class Store:
    """The store that the events go into; needed only where it differs from the ordinary.

    shards  how many parts its users are dealt to, each with a writer of its own: 8
    """

    def __init__(self, *, shards=1):
        self._declaration = {"at": _place(), "shards": _plain(shards)}
        _declared["store"].append(self)


def declarations():
    """All that was declared so far, for seq-config."""
    return {
        "declarations": 1,
        "sources": [source._declaration() for source in _declared["source"]],
        "lookups": [lookup._declaration() for lookup in _declared["lookup"]],
        "event_types": [event_type._declaration() for event_type in _declared["event_type"]],
        "sequences": [sequence._declaration() for sequence in _declared["sequence"]],
        "stores": [store._declaration for store in _declared["store"]],
    }
