#!/usr/bin/env bash
# What a kill in the middle leaves behind: interrupted.sh [NAME…]
# For each way of onboarding: 200 made-up growers at services of the sandbox, killed (kill -9) when a quarter is attached, and
# started once more with the same command. Prints what the services saw, as rows of a table. The services take a second attach
# as a second credential, so that none goes unseen. Needs stara-onboard on the PATH, jq, and whatever each way needs; what is missing is named.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(stara-onboard requests httpx xargs parallel joblog newman bruno)

needed() { # needed NAME: succeeds where everything is there that it needs
  case $1 in
    requests) python3 -c 'import requests' ;;
    httpx) python3 -c 'import httpx' ;;
    xargs) command -v curl ;;
    parallel | joblog) command -v curl && parallel --version | grep GNU ;;
    newman) command -v newman ;;
    bruno) command -v bru ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

onboard() { # onboard NAME: by this way, in the working folder
  local services=("$STARA_URL" "$LEAF_URL" any)
  case $1 in
    stara-onboard)
      LEAF_TOKEN=any exec stara-onboard run growers.csv --stara-rate none --leaf-rate none --concurrency 8 --settle 5s
      ;;
    requests) exec python3 "$here/requests_threads.py" growers.csv "${services[@]}" 8 ;;
    httpx) exec python3 "$here/httpx_asyncio.py" growers.csv "${services[@]}" 8 ;;
    xargs) exec sh "$here/curl_xargs.sh" growers.csv "${services[@]}" 8 ;;
    parallel) exec sh "$here/curl_parallel.sh" growers.csv "${services[@]}" 8 ;;
    joblog) tail -n +2 growers.csv | exec parallel --joblog jobs.log --resume -j 8 sh "$here/curl_row.sh" "${services[@]}" '{}' ;;
    newman) exec sh "$here/newman.sh" growers.csv "${services[@]}" ;;
    bruno) exec sh "$here/bruno.sh" growers.csv "${services[@]}" ;;
  esac
}

attached() { # how many attaches have taken effect so far
  jq -r 'select(.event == "received" and .kind == "attach" or .event == "effect") | [.event, .call] | @tsv' seen.jsonl 2>/dev/null |
    awk '$1 == "received" { attach[$2] } $1 == "effect" && ($2 in attach) { count++ } END { print count + 0 }'
}

told() { # told NAME CODE: the row of the table
  local logins twice
  logins=$(jq -r 'select(.event == "received" and .kind == "authenticate") | .login' seen.jsonl | sort | uniq -d | wc -l)
  twice=$(jq -r 'select(.event == "received" and .kind == "attach" or .event == "effect") | [.event, .call, .leafUserId] | @tsv' seen.jsonl |
    awk '$1 == "received" { user[$2] = $3 } $1 == "effect" && ($2 in user) { count[user[$2]]++ }
         END { for (id in count) { users++; if (count[id] > 1) twice++ } print users + 0, twice + 0 }')
  printf '| %s | %s | %s | %s | %s |\n' "$1" "$2" "${twice% *}" "$logins" "${twice#* }"
}

export -f onboard
export here
printf '| what | exit code of the second start | users attached | logins sent twice | users attached twice |\n|---|--:|--:|--:|--:|\n'
for name in "${names[@]}"; do
  if ! needed "$name"; then
    printf '| %s | not installed here | | | |\n' "$name"
    continue
  fi
  folder=$(mktemp -d)
  cd "$folder"
  { echo leafUserId,login,password
    for number in $(seq 200); do printf '0a1b2c3d-0000-4000-8000-%012x,grower%d@agro.example,trigo-%d\n' "$number" "$number" "$number"; done
  } >growers.csv
  stara-onboard sandbox growers.csv --latency 20ms --second-attach second-object --record seen.jsonl >services.env &
  serving=$!
  until grep -q LEAF_URL services.env; do sleep 0.1; done
  # shellcheck source=/dev/null
  set -a && . ./services.env && set +a
  setsid bash -c "onboard $name" >said.txt 2>&1 &
  started=$!
  until [ "$(attached)" -ge 50 ] || ! kill -0 "$started" 2>/dev/null; do sleep 0.05; done
  kill -KILL -- "-$started" 2>/dev/null || true
  wait "$started" 2>/dev/null || true
  code=0
  bash -c "onboard $name" >said.txt 2>&1 || code=$?
  told "$name" "$code"
  kill -INT "$serving"
  wait "$serving" || true
  cd / && rm -rf "$folder"
done
