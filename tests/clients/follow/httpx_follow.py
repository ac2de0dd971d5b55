"""`httpx-sse`: it reads one answer to its end; coming back is for its user to do."""

import json
import os
import time

import httpx
from httpx_sse import connect_sse

URL, COOKIE = os.environ["FOLLOW_URL"], os.environ["FOLLOW_COOKIE"]
TYPES = set(os.environ["FOLLOW_TYPES"].split(","))

# A quiet stream gives a sign of life every 15 s; the default of 5 s would end it before.
TIMEOUT = httpx.Timeout(5, read=45)

last_id, retry_s = "", 1.0


def follow(client):
    global last_id, retry_s
    headers = {"last-event-id": last_id} if last_id else {}
    with connect_sse(client, "GET", URL, headers=headers) as source:
        if source.response.status_code == 503:
            retry_s = float(source.response.headers["retry-after"])
            return
        source.response.raise_for_status()
        for event in source.iter_sse():
            if event.retry is not None:
                retry_s = event.retry / 1000
            # Also from a sign of life, which has an id and no data.
            last_id = event.id or last_id
            if not event.data or event.event not in TYPES:
                continue
            own_id = json.loads(event.data).get("id")
            # Passing state has no id and is not compared.
            if own_id:
                line = {"id": event.id, "type": event.event, "whole": own_id == event.id}
                print(json.dumps(line), flush=True)


with httpx.Client(headers={"cookie": COOKIE}, timeout=TIMEOUT) as client:
    while True:
        try:
            follow(client)
        except httpx.TransportError:
            pass
        time.sleep(retry_s)
