#!/bin/bash
# One night of the shards: a new manifest, if one is named, the Job of all shards, and their report.
#   deploy/kubernetes/shards-night.sh [growers.csv.zst]
# Start it where kubectl may make Jobs: by hand, by cron, or in a pipeline. It ends with 1 when a shard has failed; the report is
# written all the same. What each part is for: docs/SCALING.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
shards=stara-onboard-shards report=stara-onboard-shards-report pod=stara-onboard-manifest

await() { # await JOB: until it is complete or has failed, however long that takes
  local ended
  while :; do
    ended=$(kubectl get job "$1" -o 'jsonpath={.status.conditions[?(@.status=="True")].type}')
    case " $ended " in
      *' Complete '*) return 0 ;;
      *' Failed '*) return 1 ;;
    esac
    sleep "${STARA_ONBOARD_POLL:-30}"
  done
}

# A shard that is still at work from last night goes on; nothing is begun beside it.
if kubectl get job "$shards" -o 'jsonpath={.status.active}' 2>/dev/null | grep -q .; then
  echo "error: the Job $shards is still at work" >&2
  echo "hint: wait for it, or kubectl delete job $shards: what is done is kept" >&2
  exit 11
fi
# A Job can't be started a second time. The volume with the ledgers isn't part of it, and stays.
kubectl delete job "$shards" "$report" --ignore-not-found

if [ $# -gt 0 ]; then
  # Only the claim of the ledgers is needed yet, which stands before the Job in its file.
  sed '/^---$/,$d' "$here/indexed-job.yaml" | kubectl apply -f -
  kubectl apply -f "$here/manifest-pod.yaml"
  kubectl wait --for=condition=Ready --timeout=5m "pod/$pod"
  # The old manifest stays until the new one is there as a whole.
  kubectl exec -i "$pod" -- sh -c \
    'umask 077 && cat >/manifest/new && mv /manifest/new /manifest/growers.csv.zst' <"$1"
  # The volumes are let go of, so that the shards may go to another node.
  kubectl delete pod "$pod"
fi

kubectl apply -f "$here/indexed-job.yaml"
code=0
await "$shards" || code=1
if [ "$code" -ne 0 ]; then
  echo "error: a shard has failed; kubectl describe job $shards says which, and kubectl logs why" >&2
fi
kubectl apply -f "$here/shards-report-job.yaml"
await "$report" || code=1
exit "$code"
