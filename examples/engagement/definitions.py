"""What the demo makes of an app's engagement log: impressions, clicks and saves of items, and searches."""

from seqline import Counter, Derive, EventType, Gap, Lookup, Sequence, Session, Source

log = Source(
    "engagement_log", path="raw/dt={date}/*.ndjson", user="user.id", ts="ts", id="event_id", revision="rev",
    arrival="received_at", type="type", lateness="4d",
    fields={
        "event_id": "string",
        "type": "string",
        "rev": "int32",
        "ts": "timestamp[ms]",
        "received_at": "timestamp[ms]",
        "user.id": "int64",
        "user.country": "string",
        "context.surface": "string",
        "context.device": "string",
        "payload.item_id": "int64",
        "payload.dwell_ms": "int32",
        "payload.board": "string",
        "payload.query": "string",
        "payload.results": "int32",
        "payload.items[].id": "int64",
        "payload.items[].visible_ms": "int32",
    })

# An item is looked up as it was when the event happened: rows of later days are not known yet.
item = Lookup(
    "item", table="items.ndjson", key="item_id", as_of="created_ts: timestamp[ms]",
    columns={"category": "string", "embedding": "float32[16]"})

CONTEXT = {"surface": "context.surface", "device": "context.device", "country": "user.country"}
IS_MOBILE = Derive("is_mobile", "device in ['ios', 'android']")


def engagement(name, where, columns, **more):
    """Event types of one dataset: what was done to which item, where."""
    return EventType(
        name, source=log, owner="home-feed", retention="365d", dataset="engagements", where=where,
        columns={"action": "'%s'" % name, **columns, **CONTEXT}, enrich=[item.on("item_id"), IS_MOBILE], **more)


# The app logs one event per feed that it showed. Each item in it that was seen for a second is an impression.
impression = engagement(
    "impression", "type == 'feed_view' && payload.items.visible_ms >= 1000",
    {"item_id": "payload.items[].id", "visible_ms": "payload.items[].visible_ms", "position": "element_index"},
    explode="payload.items")

click = engagement(
    "click", "type == 'click' && payload.dwell_ms >= 1000",
    {"item_id": "payload.item_id", "dwell_ms": "payload.dwell_ms"})

save = engagement("save", "type == 'save'", {"item_id": "payload.item_id", "board": "payload.board"})

search = EventType(
    "search", source=log, owner="search", retention="90d", dataset="searches",
    where="type == 'search' && size(payload.query) > 0",
    columns={"query": "payload.query", "results": "payload.results", **CONTEXT},
    enrich=[IS_MOBILE, Derive("found_nothing", "results == 0")])

Sequence(
    "home_feed", owner="home-feed", stage="production", events=[impression, click, save],
    max_length=500, caps={impression: 200}, window="90d",
    columns=["ts", "action", "item_id", "surface", "category", "dwell_ms", "embedding"],
    derive=[
        Counter("saves_1h", where="action == 'save'", window="1h"),
        Counter("dwell_1d", "sum", "dwell_ms", window="1d"),
        Session("session", gap="30m"),
        Gap("since_save", where="action == 'save'"),
    ],
    freshness="1s", completeness="99.9% after 1d")

Sequence(
    "saved_items", owner="boards", stage="production", events=[save], max_length=100,
    columns=["ts", "item_id", "board", "category"])

Sequence(
    "intent", owner="search", events=[search, click, save], max_length=100, window="30d",
    where="is_mobile || event_type == 'search'",
    columns=["ts", "event_type", "query", "item_id", "category"])
