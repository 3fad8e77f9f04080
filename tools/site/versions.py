"""Lists the versions of the site: versions.py FOLDER VERSION.

FOLDER has a folder for each version. The list is FOLDER/versions.json, from which each page
offers the other versions. FOLDER/index.html leads to VERSION.
"""

import json
import re
import sys
from pathlib import Path


def newest_first(name):
    """Sorts numbers as numbers; a name without any comes last."""
    numbers = [int(n) for n in re.findall(r"\d+", name)]
    return (not numbers, [-n for n in numbers], name)


folder, current = Path(sys.argv[1]), sys.argv[2]
names = sorted((p.parent.name for p in folder.glob("*/index.html")), key=newest_first)
if current not in names:
    sys.exit(f"versions.py: {folder} has no version {current}")
versions = [{"version": n, "title": n, "aliases": ["latest"] if n == current else []} for n in names]
(folder / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")
(folder / "index.html").write_text(
    f'<!doctype html><html lang="en"><meta charset="utf-8"><title>tvmexport</title>'
    f'<link rel="icon" href="data:,"><meta http-equiv="refresh" content="0; url={current}/"><a href="{current}/">tvmexport {current}</a></html>\n'
)
