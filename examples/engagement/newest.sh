#!/usr/bin/env bash
# Waits for the next save in the log, then for the server to have it, and says how long that took.   newest.sh LOG HOST:PORT
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
read -r ts user item < <(tail -n 0 -F "$1" 2> /dev/null | python3 "$here/next_save.py")
echo "appended at $ts: user $user saved item $item"

url="$2/v1/sequences/home_feed/users/$user?last=100&columns=ts,action,item_id,surface,category&timestamps=ms"
now=$(date +%s%3N)
while ((now - ts < 10000)); do
  answer=$(curl -sf --max-time 2 "$url" || true)
  now=$(date +%s%3N)
  event=$(grep -o "{[^{}]*\"ts\":$ts,[^{}]*}" <<< "$answer" | grep -m 1 '"action":"save"') && {
    echo "served at   $now: $event"
    echo "$((now - ts)) ms from the log to curl, curl's own start included"
    exit
  }
  sleep 0.005
done
echo "the event did not come through within ten seconds; the last answer: $answer" >&2
exit 1
