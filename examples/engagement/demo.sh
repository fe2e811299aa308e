#!/usr/bin/env bash
# The whole job on generated events: a batch of days, then a stream, log -> frames -> store -> HTTP.   demo.sh
# SERVE=0: do not go on serving.
# Expects the commands on PATH; writes to demo/ in the current directory.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=demo from=2026-11-18 to=2026-11-20
export SEQ_DEFINITIONS=$out/definitions.json SEQ_STORE=$out/store
log=$out/events.log
step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
rm -rf "$out"; mkdir -p "$out"

step "Three days of events: late, duplicate, corrected and malformed lines among them"
python3 "$here/generate.py" "$out"
head -c 300 "$out/raw/dt=$from"/events-0.ndjson; echo " …"

step "One definition"
seq-config compile "$here/definitions.py" -o "$SEQ_DEFINITIONS"
seq-config check "$SEQ_DEFINITIONS"

step "seq-ingest | seq-filter | seq-enrich | seq-assemble | seq-index"
seq-ingest --root "$out" --date "$from..$to" --dead-letters "$out/dead-letters.ndjson" \
  | seq-filter | seq-enrich --tables "$out" | seq-assemble | seq-index --replace "$from..$to"
echo "dead letters, for example:"
head -1 "$out/dead-letters.ndjson" | cut -c1-200

step "The store"
seq-store stat

step "One user's sequence"
port=${PORT:-8080}
seq-serve --port "$port" 2> "$out/serve.log" &
server=$!
trap 'kill $server 2> /dev/null' EXIT
for _ in $(seq 50); do curl -sf "localhost:$port/readyz" > /dev/null && break; sleep 0.1; done
user=$(seq-store cat engagements --columns action --format ndjson | grep -o '"user_id":[0-9]*' | sort | uniq -c | sort -rn \
  | awk -F: 'NR == 1 { print $2 }')
url="localhost:$port/v1/sequences/home_feed/users/$user?last=10&columns=ts,action,item_id,surface,category,dwell_ms"
curl -sf "$url&layout=columns&until=2026-11-21T00:00:00Z" | python3 "$here/table.py"

step "tail -F events.log | seq-filter | seq-enrich | seq-index"
: > "$log"
tail -F "$log" 2> "$out/tail.err" | seq-filter 2> "$out/filter.log" | seq-enrich --tables "$out" 2> "$out/enrich.log" \
  | seq-index 2> "$out/index.log" &
pipeline=$!
python3 "$here/generate.py" "$out" --stream 50 &
generator=$!
trap 'kill $generator $(jobs -p) 2> /dev/null' EXIT
"$here/newest.sh" "$log" "localhost:$port" || {
  cat "$out/filter.log" "$out/enrich.log" "$out/index.log" >&2
  exit 1
}

if [ "${SERVE:-1}" = 0 ]; then
  # The log ends, and the stages one after the other.
  kill "$generator"
  kill "$(jobs -p %2)"
  wait "$pipeline" || [ $? = 143 ]  # tail's
  cat "$out/filter.log" "$out/enrich.log" "$out/index.log"
  exit
fi
step "Streaming and serving until Ctrl-C; try:"
echo "  curl -s '$url' | python3 -m json.tool"
echo "  curl -s localhost:$port/v1/sequences/home_feed"
echo "  examples/engagement/newest.sh $log localhost:$port"
wait $server
