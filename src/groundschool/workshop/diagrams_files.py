"""``python -m groundschool.workshop.diagrams_files FOLDER``: writes every diagram in both formats."""

from __future__ import annotations

import sys
from pathlib import Path

from groundschool.workshop.diagrams import diagrams
from groundschool.workshop.diagrams_excalidraw import excalidraw
from groundschool.workshop.diagrams_mermaid import mermaid


def files() -> dict[str, str]:
    """Name to content. Pure."""
    drawn = diagrams()
    return {f"{each.name}.mmd": mermaid(each) for each in drawn} | {
        f"{each.name}.excalidraw": excalidraw(each) for each in drawn
    }


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
