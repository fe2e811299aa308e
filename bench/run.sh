#!/usr/bin/env bash
# Each stage by itself over one generated log: CPU, wall and peak memory.   run.sh [EVENTS_A_DAY]
# Expects the commands in .build/release (make build); data goes to bench/data.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/.build/release:$PATH LC_ALL=C
events=${1:-200000} data=bench/data/$events out=bench/out
mkdir -p "$out"
[ -f "$data/items.ndjson" ] || python3 examples/engagement/generate.py "$data" --events "$events"
seq-config compile examples/engagement/definitions.py -o "$out/definitions.json"
export SEQ_DEFINITIONS=$out/definitions.json
raw=("$data"/raw/*/*.ndjson)
bytes=$(cat "${raw[@]}" | tee >(wc -l > "$out/lines") | wc -c)
printf '%s MB, %s lines\n\n%-14s %8s %8s %9s\n' "$((bytes / 1000000))" "$(cat "$out/lines")" stage 'CPU s' 'wall s' 'peak MB'

stage() { # name, output, command...: writes into a pipe, as in a pipeline
  local name=$1 to=$2; shift 2
  local TIMEFORMAT='%U %S %R'
  local status=$out/time
  { time "$@" 2> "$out/$name.log" | cat > "$to"; } 2> "$status"
  awk -v name="$name" -v peak="$(peak "$@")" '{ printf "%-14s %8.2f %8.2f %9s\n", name, $1 + $2, $3, peak }' "$status"
}
peak() { # of a second run, so that nothing but the command is measured
  python3 - "$@" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
PY
}

stage ingest "$out/raw.frames" seq-ingest "${raw[@]}"
stage filter "$out/events.frames" seq-filter "$out/raw.frames"
stage enrich "$out/enriched.frames" seq-enrich --tables "$data" "$out/events.frames"
stage assemble "$out/assembled.frames" seq-assemble "$out/enriched.frames"
stage index /dev/null seq-index --replace all --store "$out/store" "$out/assembled.frames"
echo
seq-store stat --store "$out/store" | grep -E 'events in|per event;'
