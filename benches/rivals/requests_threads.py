"""The four calls for each row, with requests and threads: requests_threads.py MANIFEST STARA LEAF TOKEN IN_FLIGHT

Needs: pip install requests
"""

import csv
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import requests

manifest, stara, leaf, token, in_flight = sys.argv[1:]
sessions = threading.local()


def session():
    """A session a thread: requests doesn't promise that one may be shared."""
    if not hasattr(sessions, "of_this_thread"):
        sessions.of_this_thread = requests.Session()
    return sessions.of_this_thread


def answer(response):
    response.raise_for_status()
    return response.json()


def onboard(row):
    http, bearer = session(), {"Authorization": f"Bearer {token}"}
    login = {"login": row["login"], "password": row["password"]}
    key = answer(http.post(f"{stara}/autenticacao", json=login))["apiKey"]
    tokens = answer(http.post(f"{stara}/token", json={"apiKey": key}))
    credentials = f"{leaf}/services/usermanagement/api/users/{row['leafUserId']}/stara-credentials"
    answer(http.post(credentials, json={"apiKey": key, **tokens}, headers=bearer))
    return answer(http.get(credentials, headers=bearer))["status"] == "OK"


with open(manifest, newline="") as file, ThreadPoolExecutor(int(in_flight)) as pool:
    ended = list(pool.map(onboard, csv.DictReader(file)))
sys.exit(0 if all(ended) else 1)
