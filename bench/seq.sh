#!/usr/bin/env bash
# The project's commands on the benchmark's workloads.   seq.sh W1|W2|W4|W5|W6|W7 DATA OUT
#
# Called by a benchmark that sets BENCH_TOOLS (the folder of cmd.py, serve_http.py and duckdb_sql.py; storage.py is one
# above) and BENCH_PY; each call prints JSON lines. Builds nothing: run `make build` first.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${SEQ_BIN:-$here/../.build/release}
[ -x "$bin/seq-serve" ] || { echo "seq: not built; run make build" >&2; exit 0; }
PATH=$(cd "$bin" && pwd):$PATH
PY=${BENCH_PY:-python3}
w=$1 DATA=$2 OUT=$3
[ "$w" = days ] || mkdir -p "$(dirname "$OUT")"
dir=$(cd "$(dirname "$OUT")" && pwd)
store=$dir/store                                  # made by W2, read by W4, W6 and W7
table=$store/datasets/engagements
port=${SEQ_PORT:-18099}

compile() { # name: bench/NAME.py to a compiled file, when it is older
  local out=$dir/$1.json
  [ "$out" -nt "$here/$1.py" ] || seq-config compile "$here/$1.py" -o "$out" >&2 || exit 1
  export SEQ_DEFINITIONS=$out
}

case $w in
  W1) compile filter
      exec "$PY" "$BENCH_TOOLS/cmd.py" seq W1 "$DATA" "$OUT" 'seq-filter "$DATA"/raw/*/*.ndjson --drop-retractions --format ndjson \
        --timestamps ms --columns event_id,rev,ts,user_id,event_type,item_id,surface,dwell_ms > "$OUT"' ;;
  W2) compile definitions
      exec "$PY" "$BENCH_TOOLS/cmd.py" seq W2 "$DATA" "$OUT" "rm -rf $store; "'seq-ingest "$DATA"/raw/*/*.ndjson | seq-filter \
        | seq-enrich --tables "$DATA" | seq-assemble | seq-index --replace all --store '"$store && $0 days $table"' "$OUT"' ;;
  W4) compile definitions
      exec "$PY" "$BENCH_TOOLS/serve_http.py" seq "$DATA" --port "$port" --start "seq-serve --store $store --port $port" \
        --path '/v1/sequences/engagements/users/{user}?last={n}&window=30d&until={hi}&columns={cols}&timestamps=ms' \
        --all ts,event_type,item_id,dwell_ms,event_id,revision,surface,device,app_version,session_id,visible_ms,query,board_id,user_country,category,embedding \
        --header 'Accept: application/vnd.apache.arrow.stream' ;;
  W5) compile definitions
      live=$dir/live; rm -rf "$live"
      exec "$PY" "$BENCH_TOOLS/../w5.py" "$DATA" seq \
        --read "http://127.0.0.1:$port/v1/sequences/engagements/users/{user}?last=1&columns=event_id" --start \
        "trap 'kill 0' TERM; seq-serve --store $live --definitions $SEQ_DEFINITIONS --port $port & seq-ingest --follow \"\$LOG\" \
          | seq-filter | seq-enrich --tables \"\$DATA\" | seq-index --store $live & wait" ;;
  W6) exec "$PY" "$BENCH_TOOLS/../storage.py" seq "$table" "$DATA" ;;
  W7) TABLE=$dir/w2 SUFFIX=@seq exec "$PY" "$BENCH_TOOLS/duckdb_sql.py" W7 "$DATA" "$OUT" ;;
  days) # TABLE VIEW: the table's days under the names dt=…, as a checker that knows no Delta log wants them
      mkdir -p "$3"; for day in "$2"/bucket=*; do ln -s "$day/shard=00" "$3/dt=${day##*bucket=}"; done ;;
  *) echo "seq: $w is not there yet" >&2 ;;
esac
