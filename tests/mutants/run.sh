#!/usr/bin/env bash
# Plants one bug after another in a copy of the sources, and demands that the simulation of the pipeline finds each.
#
#   tests/mutants/run.sh             all of them
#   tests/mutants/run.sh 02 06       those whose names begin so
#   MUTANT_SEEDS=5000 tests/mutants/run.sh
#
# Fails when a bug isn't found within MUTANT_SEEDS seeds (default 2000), when a patch no longer applies or no longer
# builds, and when the simulation finds something where nothing was planted.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
seeds=${MUTANT_SEEDS:-2000}
tree=${CARGO_TARGET_DIR:-$root/target}/mutants/tree
# A folder of its own: in a shared one cargo takes what was built here for what is built there.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/mutants/build
log=$(mktemp)
trap 'rm -f "$log"' EXIT

copy() { # copy: brings the copy to the state of the sources, whatever was planted in it
  mkdir -p "$tree" && rm -rf "$tree/src" "$tree/tests"
  git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null |
    tar --extract --directory="$tree"
  # What a plant changed is older again than what was built from it.
  touch "$tree/src/lib.rs"
}

simulate() { # simulate: runs the copy's simulation
  (cd "$tree" && cargo test --quiet --lib --no-run >"$log" 2>&1) || return 99
  (cd "$tree" && RUST_BACKTRACE=0 SIMULATION_SEEDS=$seeds cargo test --quiet --lib pipeline::simulation::tests::whatever >"$log" 2>&1)
}

chosen() { # chosen NAME: whether it was asked for
  [ "$#" -eq 1 ] && [ ${#only[@]} -eq 0 ] && return 0
  local prefix
  for prefix in ${only[@]+"${only[@]}"}; do
    case $1 in "$prefix"*) return 0 ;; esac
  done
  return 1
}

only=("$@")
survivors=0
fail() { # fail NAME WHAT
  survivors=$((survivors + 1))
  printf 'FAILED  %s: %s\n' "$1" "$2"
}

began=$SECONDS
if [ ${#only[@]} -eq 0 ]; then
  copy
  if simulate; then
    printf 'ok      nothing planted: %s seeds held (%s s)\n' "$seeds" "$((SECONDS - began))"
  else
    fail 'nothing planted' "$(grep -m 1 -E '^(violated|error)' "$log" || tail -n 1 "$log")"
  fi
fi
for patch in "$root"/tests/mutants/*.patch; do
  name=$(basename "$patch" .patch)
  chosen "$name" || continue
  started=$SECONDS
  copy
  if ! (cd "$tree" && patch --quiet --strip=1 --fuzz=2 --no-backup-if-mismatch <"$patch" >"$log" 2>&1); then
    fail "$name" 'the patch no longer applies; mend it'
    continue
  fi
  simulate
  status=$?
  if [ "$status" -eq 99 ]; then
    fail "$name" "it no longer builds: $(grep -m 1 '^error' "$log")"
  elif [ "$status" -eq 0 ]; then
    fail "$name" "it was not found in $seeds seeds"
  elif ! grep -q '^violated: ' "$log"; then
    fail "$name" 'the simulation failed, but no rule spoke'
  else
    seed=$(grep -m 1 -oE '^seed [0-9]+' "$log")
    printf 'found   %s: %s, %s (%s s)\n' "$name" "$seed" "$(grep -m 1 '^violated: ' "$log" | cut -c11-)" "$((SECONDS - started))"
  fi
done
printf '%s s in all\n' "$((SECONDS - began))"
[ "$survivors" -eq 0 ]
