"""The older design, written for the bench: Flask's own server, boto3's resource API, a Scan per page view."""

from __future__ import annotations

import os
import socket
import time
import uuid

import boto3
from flask import Flask, redirect, render_template_string, request

app = Flask(__name__)
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
PAGE = """<!doctype html><title>Visitor Board</title><h1>Visitor Board</h1><p>Served by {{ host }}</p>
<form method="post"><input name="text"><button>Post</button></form>
<ul>{% for m in messages %}<li>{{ m.text }} <small>{{ m.id }} {{ m.instance }}</small></li>{% endfor %}</ul>"""


@app.get("/")
def page() -> str:
    messages = [item for item in table.scan()["Items"] if "text" in item]
    messages.sort(key=lambda item: item["id"], reverse=True)
    return render_template_string(PAGE, messages=messages[:25], host=socket.gethostname())


@app.post("/")
def post():  # type: ignore[no-untyped-def]
    now = f"{int(time.time() * 1000):012x}{uuid.uuid4().hex[:20]}"
    table.put_item(Item={"id": now, "text": request.form["text"], "instance": socket.gethostname()})
    return redirect("/", 303)


@app.get("/health")
def health() -> str:
    return "ok"


if __name__ == "__main__":
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line per request is the terminal's cost, not the design's
    app.run(port=int(os.environ["PORT"]), threaded=True)
