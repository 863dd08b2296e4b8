#!/bin/sh
# The four calls for each row, with Bruno's command line: bruno.sh MANIFEST STARA LEAF TOKEN [IN_FLIGHT]
# One row after another: its --parallel starts every row at once, however many there are. Needs: npm install --global @usebruno/cli
set -eu
manifest=$(realpath "$1")
cd "$(dirname "$0")/bruno"
bru run --csv-file-path "$manifest" --env-var "stara=$2" --env-var "leaf=$3" --env-var "token=$4" --bail >/dev/null
