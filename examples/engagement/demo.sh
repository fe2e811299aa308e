#!/usr/bin/env bash
# The whole batch job on generated events: log -> frames -> store -> HTTP.   demo.sh   (SERVE=0: do not serve)
# Expects the commands on PATH; writes to demo/ in the current directory.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=demo from=2026-11-18 to=2026-11-20
export SEQ_DEFINITIONS=$out/definitions.json SEQ_STORE=$out/store
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

if [ "${SERVE:-1}" = 0 ]; then exit; fi
step "Serving until Ctrl-C; try:"
echo "  curl -s '$url' | python3 -m json.tool"
echo "  curl -s localhost:$port/v1/sequences/home_feed"
trap - EXIT
wait $server
