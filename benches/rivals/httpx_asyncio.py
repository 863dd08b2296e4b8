"""The four calls for each row, with httpx and asyncio: httpx_asyncio.py MANIFEST STARA LEAF TOKEN IN_FLIGHT

Needs: pip install httpx
"""

import asyncio
import csv
import sys

import httpx

manifest, stara, leaf, token, in_flight = sys.argv[1:]


def answer(response):
    response.raise_for_status()
    return response.json()


async def onboard(http, row):
    bearer = {"Authorization": f"Bearer {token}"}
    login = {"login": row["login"], "password": row["password"]}
    key = answer(await http.post(f"{stara}/autenticacao", json=login))["apiKey"]
    tokens = answer(await http.post(f"{stara}/token", json={"apiKey": key}))
    credentials = f"{leaf}/services/usermanagement/api/users/{row['leafUserId']}/stara-credentials"
    answer(await http.post(credentials, json={"apiKey": key, **tokens}, headers=bearer))
    return answer(await http.get(credentials, headers=bearer))["status"] == "OK"


async def main():
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=int(in_flight))
    with open(manifest, newline="") as file:
        rows = list(csv.DictReader(file))
    turn = iter(rows)
    ended = []
    async with httpx.AsyncClient(limits=limits, timeout=30) as http:

        async def work():
            for row in turn:
                ended.append(await onboard(http, row))

        await asyncio.gather(*(work() for _ in range(int(in_flight))))
    return len(ended) == len(rows) and all(ended)


sys.exit(0 if asyncio.run(main()) else 1)
