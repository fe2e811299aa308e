"""The backfill workload: six event types in one dataset, enriched from two tables, and the sequence over them."""
from seqline import EventType, Lookup, Sequence, Source

# No arrival="received_at": the rows that the workload asks for have no column of it, and without it none is stored.
log = Source("client_log", path="raw/dt={date}/*.ndjson", user="user.id", ts="ts", id="event_id", revision="rev",
             type="event_type", lateness="4d",
             fields={"user.id": "int64", "ts": "timestamp[ms]", "event_id": "string",
                     "rev": "int32", "event_type": "string", "context.surface": "string", "context.device": "string",
                     "context.app_version": "string", "context.session": "string", "payload.item_id": "int64",
                     "payload.dwell_ms": "int64", "payload.visible_ms": "int64", "payload.query": "string",
                     "payload.board_id": "int64"})

item = Lookup("item", table="items.parquet", key="item_id", columns={"category": "string", "embedding": "float32[64]"})
user = Lookup("user", table="users.parquet", key="user_id", columns={"user_country": "country: string"})

COLUMNS = {"event_id": "event_id", "surface": "context.surface", "device": "context.device",
           "app_version": "context.app_version", "session_id": "context.session", "item_id": "payload.item_id",
           "dwell_ms": "payload.dwell_ms", "visible_ms": "payload.visible_ms", "query": "payload.query",
           "board_id": "payload.board_id"}
WHERE = {"pin_impression": "payload.visible_ms >= 1000", "pin_click": "payload.dwell_ms >= 1000",
         "pin_closeup": "payload.dwell_ms >= 1000", "pin_save": "true", "search_query": "true", "board_follow": "true"}

events = [EventType(name, source=log, owner="bench", retention="365d", dataset="engagements",
                    where=f"event_type == '{name}' && {where}", columns=COLUMNS,
                    enrich=[item.on("item_id"), user.on("user_id")]) for name, where in WHERE.items()]

Sequence("engagements", owner="bench", stage="production", events=events, max_length=500, window="30d",
         columns=["ts", "event_type", "revision", *COLUMNS, "user_country", "category", "embedding"])
