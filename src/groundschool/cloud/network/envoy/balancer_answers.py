"""The answers a load balancer makes itself, as AWS makes them. Pure.

Envoy says 503 for everything that goes wrong with a target. AWS: 502 when the target closed the connection or sent
something that is not HTTP, 503 when there is no target, 504 when none answered in time.
"""

from __future__ import annotations

from groundschool.cloud.network.envoy.clusters import Document, set_header

_API = "type.googleapis.com/envoy"

_REASONS = {
    502: ("Bad Gateway", ("UF", "UC", "UR", "LR", "UPE", "URX")),
    503: ("Service Temporarily Unavailable", ("UH", "NC", "NR")),
    504: ("Gateway Time-out", ("UT", "SI")),
}


def local_replies() -> Document:
    """``local_reply_config``: status and page by the reason, and ``Server: awselb/2.0`` on all, fixed ones included."""
    pages = [_page(status, title, flags) for status, (title, flags) in _REASONS.items()]
    everything = {"status_code_filter": {"comparison": _at_least(100)}}
    return {"mappers": [*pages, {"filter": everything, "headers_to_add": [_server()]}]}


def _page(status: int, title: str, flags: tuple[str, ...]) -> Document:
    heading = f"{status} {title}"
    html = (
        f"<html>\r\n<head><title>{heading}</title></head>\r\n<body>\r\n"
        f"<center><h1>{heading}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return {
        "filter": {"response_flag_filter": {"flags": list(flags)}},
        "status_code": status,
        "headers_to_add": [_server()],
        "body_format_override": {
            "text_format_source": {"inline_string": html},
            "content_type": "text/html",
        },
    }


def _server() -> Document:
    return set_header("Server", "awselb/2.0")


def _at_least(status: int) -> Document:
    return {"op": "GE", "value": {"default_value": status, "runtime_key": "balancer_answers.least_status"}}
