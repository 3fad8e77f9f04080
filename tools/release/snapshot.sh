#!/usr/bin/env bash
# Makes everything of a release that needs no network, into dist/. A bill of materials per program comes from cyclonedx-gomod;
# signatures come from the hosted workflow only.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools="$PWD/.tools"
mkdir -p "$tools"
(cd tools/release && go build -o "$tools/" github.com/goreleaser/goreleaser/v2 github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod)
PATH="$tools:$PATH" goreleaser release --snapshot --clean --skip=publish,sign
cat dist/SHA256SUMS
