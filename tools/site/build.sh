#!/usr/bin/env bash
# Builds the documentation site: build.sh FOLDER VERSION. FOLDER keeps its other versions.
#
# What it installs goes into tools/site/.venv and tools/site/node_modules, which git ignores.
set -euo pipefail
cd "$(dirname "$0")/../.."
site=tools/site folder="${1:?usage: build.sh FOLDER VERSION}" version="${2:?usage: build.sh FOLDER VERSION}"

if ! cmp -s $site/requirements.txt $site/.venv/installed; then
	python3 -m venv --clear $site/.venv
	$site/.venv/bin/pip install --quiet --disable-pip-version-check --no-compile -r $site/requirements.txt
	cp $site/requirements.txt $site/.venv/installed
fi
if ! cmp -s $site/package-lock.json $site/node_modules/installed; then
	(cd $site && npm ci --loglevel=error --no-audit --no-fund)
	cp $site/package-lock.json $site/node_modules/installed
fi

# With --quiet, mkdocs does not count warnings, and --strict has no effect.
NO_MKDOCS_2_WARNING=1 $site/.venv/bin/mkdocs build --strict --clean --site-dir "$folder/$version"
$site/.venv/bin/python $site/versions.py "$folder" "$version"
