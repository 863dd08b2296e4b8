#!/bin/sh
# The four calls for one row, with curl: curl_row.sh STARA LEAF TOKEN LEAF_USER_ID,LOGIN,PASSWORD
# The bodies go over standard input, so that at least no password stands in the list of processes; but it does stand in this
# script's own arguments, and cells with quotes aren't understood.
set -eu
stara=$1 leaf=$2 token=$3
user=${4%%,*} rest=${4#*,}
login=${rest%%,*} password=${rest#*,}

text() { # text NAME ANSWER: the text of a field
  after=${2#*\"$1\":\"}
  printf %s "${after%%\"*}"
}

post() { # post URL [CURL'S ARGUMENTS…]: the body comes from standard input
  curl --silent --show-error --fail --header 'Content-Type: application/json' --data-binary @- "$@"
}

key=$(text apiKey "$(printf '{"login":"%s","password":"%s"}' "$login" "$password" | post "$stara/autenticacao")")
tokens=$(printf '{"apiKey":"%s"}' "$key" | post "$stara/token")
credentials="$leaf/services/usermanagement/api/users/$user/stara-credentials"
printf '{"apiKey":"%s",%s' "$key" "${tokens#\{}" | post "$credentials" --header "Authorization: Bearer $token" >/dev/null
answer=$(curl --silent --show-error --fail --header "Authorization: Bearer $token" "$credentials")
[ "$(text status "$answer")" = OK ]
