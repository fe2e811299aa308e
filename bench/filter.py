"""The filter workload: saves and long clicks on two surfaces, eight columns."""
from seqline import EventType, Source

log = Source("client_log", path="raw/dt={date}/*.ndjson", user="user.id", ts="ts", id="event_id", revision="rev",
             type="event_type", lateness="4d",
             fields={"user.id": "int64", "ts": "timestamp[ms]", "event_id": "string", "rev": "int32", "event_type": "string",
                     "context.surface": "string", "payload.item_id": "int64", "payload.dwell_ms": "int64"})

for name, where in {"pin_save": "true", "pin_click": "payload.dwell_ms >= 1000"}.items():
    EventType(name, source=log, owner="bench", retention="365d", dataset="selected",
              where=f"event_type == '{name}' && {where} && context.surface in ['home', 'related']",
              columns={"event_id": "event_id", "rev": "rev", "item_id": "payload.item_id", "surface": "context.surface",
                       "dwell_ms": "payload.dwell_ms"})
