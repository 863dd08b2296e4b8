#!/bin/sh
# The four calls for each row, with newman (Postman's runner): newman.sh MANIFEST STARA LEAF TOKEN [IN_FLIGHT]
# It sends one request after another, whatever IN_FLIGHT says. Needs: npm install --global newman
set -eu
newman run "$(dirname "$0")/newman_collection.json" --iteration-data "$1" \
  --env-var "stara=$2" --env-var "leaf=$3" --env-var "token=$4" \
  --bail --reporters cli --reporter-cli-silent
