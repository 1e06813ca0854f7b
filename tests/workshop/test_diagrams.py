"""The diagrams show the component model, and the checked-in files show the diagrams."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from groundschool.workshop.build_order import COMPONENTS
from groundschool.workshop.diagrams import Diagram, diagrams
from groundschool.workshop.diagrams_excalidraw import excalidraw
from groundschool.workshop.diagrams_files import files
from groundschool.workshop.diagrams_mermaid import mermaid

FOLDER = Path(__file__).parents[2] / "workshop" / "diagrams"
DRAWN = pytest.mark.parametrize("diagram", diagrams(), ids=lambda each: each.name)


def test_the_files_are_what_make_diagrams_writes() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == files(), "run: make diagrams"


@pytest.mark.parametrize("session", [1, 2])
def test_every_component_of_a_session_is_drawn(session: int) -> None:
    own = {each.name for each in COMPONENTS if each.session == session}
    named = {each.name: each for each in diagrams()}

    assert own <= named[f"build-order-session-{session}"].components
    assert own <= named[f"architecture-session-{session}"].components


@DRAWN
def test_boxes_have_places_of_their_own_and_arrows_have_ends(diagram: Diagram) -> None:
    places = [(box.column, box.row) for box in diagram.boxes]
    keys = {box.key for box in diagram.boxes}

    assert len(set(places)) == len(places)
    assert all({arrow.source, arrow.target} <= keys for arrow in diagram.arrows)
    assert diagram.components <= {each.name for each in COMPONENTS}


@DRAWN
def test_excalidraw_references_point_to_elements_that_are_there(diagram: Diagram) -> None:
    elements = json.loads(excalidraw(diagram))["elements"]
    by_id = {each["id"]: each for each in elements}

    assert len(by_id) == len(elements)
    for each in elements:
        for bound in each["boundElements"]:
            assert by_id[bound["id"]]["type"] == bound["type"]
        for end in ("startBinding", "endBinding"):
            if each["type"] == "arrow":
                assert {"type": "arrow", "id": each["id"]} in by_id[each[end]["elementId"]]["boundElements"]


@DRAWN
def test_mermaid_has_a_line_for_every_box_and_arrow(diagram: Diagram) -> None:
    lines = mermaid(diagram).splitlines()

    assert len([line for line in lines if re.match(r'    box_\w+\[".*"\]$', line)]) == len(diagram.boxes)
    assert len([line for line in lines if " -->" in line]) == len(diagram.arrows)
