#!/bin/sh
# The four calls for each row, with curl and GNU parallel: curl_parallel.sh MANIFEST STARA LEAF TOKEN IN_FLIGHT
set -eu
tail -n +2 "$1" | parallel -j "$5" sh "$(dirname "$0")/curl_row.sh" "$2" "$3" "$4" '{}'
