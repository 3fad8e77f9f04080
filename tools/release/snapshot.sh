#!/usr/bin/env bash
# Makes everything of a release that needs no network, from a clean clone of HEAD in FOLDER, into FOLDER/dist:
# tools/release/snapshot.sh FOLDER. Signatures come from the hosted workflow only. The folder must not exist.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder="$(realpath -m "${1:?usage: tools/release/snapshot.sh FOLDER}")"
tools="${RELEASE_TOOLS:-$PWD/.tools}"
if [ ! -x "$tools/goreleaser" ] || [ ! -x "$tools/cyclonedx-gomod" ]; then
	mkdir -p "$tools"
	(cd tools/release && go build -o "$tools/" github.com/goreleaser/goreleaser/v2 github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod)
fi
git clone -q --no-hardlinks . "$folder"
cd "$folder"
git remote set-url origin https://github.com/tvmexport/tvmexport.git # goreleaser reads the commit only next to a remote
PATH="$tools:$PATH" goreleaser release --snapshot --clean --skip=publish,sign --parallelism "${PARALLELISM:-2}"
cat dist/SHA256SUMS
