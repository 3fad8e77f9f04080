#!/usr/bin/env bash
# Makes cmd/tvmexport/testdata/first: what databases hold after the first versions of the program have worked and were
# killed: test/older/first.sh [REVISION...]. The emulator is that of this checkout. It needs the revisions in the history.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- 52e26af 6a10ebb
there="$(mktemp -d)"
trap 'rm -rf "$there"' EXIT
go build -trimpath -o "$there/make" ./test/older/make
for revision in "$@"; do
	mkdir "$there/$revision"
	git archive "$revision" | tar -x -C "$there/$revision"
	(cd "$there/$revision" && go build -trimpath -o tvmexport ./cmd/tvmexport)
	"$there/make" -first -bin "$there/$revision/tvmexport" -revision "$revision" -out "cmd/tvmexport/testdata/first/$revision"
	git show "$revision:config/example.yaml" >"cmd/tvmexport/testdata/first/$revision/tvmexport.yaml"
done
