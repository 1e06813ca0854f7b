"""A diagram as Mermaid text, which GitHub draws. Pure. https://mermaid.js.org/syntax/flowchart.html"""

from __future__ import annotations

from groundschool.workshop.diagrams import Diagram


def mermaid(diagram: Diagram) -> str:
    lines = ["---", f'title: "{diagram.title}"', "---", "flowchart LR"]
    lines += [f'    {node(box.key)}["{breaks(box.label)}"]' for box in diagram.boxes]
    for arrow in diagram.arrows:
        told = f'|"{arrow.label}"|' if arrow.label else ""
        lines.append(f"    {node(arrow.source)} -->{told} {node(arrow.target)}")
    return "\n".join(lines) + "\n"


def node(key: str) -> str:
    """An id that is no word of Mermaid's own."""
    return "box_" + key.replace("-", "_")


def breaks(label: str) -> str:
    return label.replace("\n", "<br>")
