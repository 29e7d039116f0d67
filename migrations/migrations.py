"""The list of schema changes, for sqlite-utils' own `Migrations` (it keeps the ledger).

Every `mNNNN_name.py` beside this file defines `migrate(db)` and is applied once, in the order of the names. The program
applies them inside one immediate transaction; `sqlite-utils migrate FILE migrations` applies them by hand.
"""

import pathlib
import runpy

from sqlite_utils import Migrations

migrations = Migrations("scribe")

for path in sorted(pathlib.Path(__file__).parent.glob("m[0-9]*.py")):
    migrations(name=path.stem)(runpy.run_path(str(path))["migrate"])
