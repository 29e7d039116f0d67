"""Where the files that come with Scribe lie: templates, migrations, the manifest, the example.

Knows that the wheel maps them into the package and that in a clone they lie beside it. Reads none of them.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resources(name: str) -> Path:
    """The file or folder `name` ("templates", "migrations", "manifest.json", "examples/…") of this installation.

    Raises FileNotFoundError when the installation is not complete.
    """
    for place in (_PACKAGE / name, _PACKAGE.parent / name):
        if place.exists():
            return place
    raise FileNotFoundError(f"{name} is neither in {_PACKAGE} nor beside it: install incident-scribe again.")
