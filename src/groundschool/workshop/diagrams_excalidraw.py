"""A diagram as an Excalidraw file, to be drawn upon in the session. Pure.

https://docs.excalidraw.com/docs/codebase/json-schema. Ids and seeds follow from the content, so that the same diagram
is the same file.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from groundschool.workshop.diagrams import Arrow, Box, Diagram

WIDTH, HEIGHT = 290, 110
COLUMN, ROW = 430, 190
"""Pixels from one box to the next."""

FONT_SIZE, SMALL_FONT_SIZE, LINE_HEIGHT = 18, 14, 1.25
LETTER = 0.55
"""Width of a letter in font sizes; Excalidraw measures again when it opens the file."""

NORMAL_FONT = 2
"""Helvetica: the hand-drawn font may not be there."""


def excalidraw(diagram: Diagram) -> str:
    boxes = {box.key: box for box in diagram.boxes}
    elements = [title(diagram)]
    for box in diagram.boxes:
        elements += [rectangle(diagram, box), box_text(box)]
    for arrow in diagram.arrows:
        elements += arrow_elements(arrow, boxes)
    document = {
        "type": "excalidraw",
        "version": 2,
        "source": "groundschool",
        "elements": elements,
        "appState": {"viewBackgroundColor": "#ffffff", "gridSize": None},
        "files": {},
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def element(key: str, kind: str, x: float, y: float, width: float, height: float, **more: Any) -> dict[str, Any]:
    """What every element carries."""
    return {
        "id": key,
        "type": kind,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "angle": 0,
        "strokeColor": "#1e1e1e",
        "backgroundColor": "transparent",
        "fillStyle": "solid",
        "strokeWidth": 2,
        "strokeStyle": "solid",
        "roughness": 1,
        "opacity": 100,
        "groupIds": [],
        "frameId": None,
        "roundness": None,
        "seed": zlib.crc32(key.encode()) % 2**31,
        "version": 1,
        "versionNonce": zlib.crc32(f"{key} nonce".encode()) % 2**31,
        "isDeleted": False,
        "boundElements": [],
        "updated": 1,
        "link": None,
        "locked": False,
        **more,
    }


def text(key: str, words: str, x: float, y: float, size: int, container: str | None, align: str) -> dict[str, Any]:
    """``x`` and ``y`` are the middle when centred, the top left corner otherwise."""
    lines = words.split("\n")
    width, height = max(map(len, lines)) * size * LETTER, len(lines) * size * LINE_HEIGHT
    if align == "center":
        x, y = x - width / 2, y - height / 2
    return element(
        key,
        "text",
        x,
        y,
        width,
        height,
        text=words,
        originalText=words,
        fontSize=size,
        fontFamily=NORMAL_FONT,
        textAlign=align,
        verticalAlign="middle" if container else "top",
        containerId=container,
        autoResize=True,
        lineHeight=LINE_HEIGHT,
    )


def title(diagram: Diagram) -> dict[str, Any]:
    return text("title", diagram.title, 0, -80, 28, None, "left")


def corner(box: Box) -> tuple[float, float]:
    return box.column * COLUMN, box.row * ROW


def middle(box: Box) -> tuple[float, float]:
    x, y = corner(box)
    return x + WIDTH / 2, y + HEIGHT / 2


def rectangle(diagram: Diagram, box: Box) -> dict[str, Any]:
    bound = [{"type": "text", "id": f"{box.key}-text"}]
    bound += [
        {"type": "arrow", "id": arrow_key(each)} for each in diagram.arrows if box.key in (each.source, each.target)
    ]
    colour = "#a5d8ff" if box.components else "#e9ecef"
    return element(
        box.key,
        "rectangle",
        *corner(box),
        WIDTH,
        HEIGHT,
        backgroundColor=colour,
        roundness={"type": 3},
        boundElements=bound,
    )


def box_text(box: Box) -> dict[str, Any]:
    return text(f"{box.key}-text", box.label, *middle(box), FONT_SIZE, box.key, "center")


def arrow_key(arrow: Arrow) -> str:
    return f"{arrow.source}-to-{arrow.target}"


def arrow_elements(arrow: Arrow, boxes: dict[str, Box]) -> list[dict[str, Any]]:
    """The arrow between the facing edges, and its label."""
    (x1, y1), (x2, y2) = ends(boxes[arrow.source], boxes[arrow.target])
    key = arrow_key(arrow)
    line = element(
        key,
        "arrow",
        x1,
        y1,
        abs(x2 - x1),
        abs(y2 - y1),
        points=[[0, 0], [x2 - x1, y2 - y1]],
        lastCommittedPoint=None,
        startBinding={"elementId": arrow.source, "focus": 0, "gap": 4},
        endBinding={"elementId": arrow.target, "focus": 0, "gap": 4},
        startArrowhead=None,
        endArrowhead="arrow",
        elbowed=False,
        boundElements=[{"type": "text", "id": f"{key}-text"}] if arrow.label else [],
    )
    if not arrow.label:
        return [line]
    return [line, text(f"{key}-text", arrow.label, (x1 + x2) / 2, (y1 + y2) / 2, SMALL_FONT_SIZE, key, "center")]


def ends(source: Box, target: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    """Sideways between columns, up or down within one; four pixels off the boxes."""
    (x1, y1), (x2, y2) = middle(source), middle(target)
    if source.column != target.column:
        side = WIDTH / 2 + 4 if x2 > x1 else -WIDTH / 2 - 4
        return (x1 + side, y1), (x2 - side, y2)
    side = HEIGHT / 2 + 4 if y2 > y1 else -HEIGHT / 2 - 4
    return (x1, y1 + side), (x2, y2 - side)
