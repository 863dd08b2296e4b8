#!/bin/sh
# The four calls for each row, with curl and xargs: curl_xargs.sh MANIFEST STARA LEAF TOKEN IN_FLIGHT
set -eu
tail -n +2 "$1" | xargs -P "$5" -I '{}' sh "$(dirname "$0")/curl_row.sh" "$2" "$3" "$4" '{}'
