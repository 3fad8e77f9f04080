#!/usr/bin/env bash
# Makes cmd/tvmexport/testdata/older: what a database holds after the program of an earlier version has worked and was
# killed: test/older/database.sh [REVISION [today]]. The emulator is that of the revision, or, with today, that of this
# checkout. It needs the revision in the history, and takes a few minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
revision="${1:-e3fee0b}"
here="$PWD"
there="$(mktemp -d)"
trap 'rm -rf "$there"' EXIT
git archive "$revision" | tar -x -C "$there"
if [ "${2:-}" = today ]; then
	go build -trimpath -o "$there/bin/make" ./test/older/make
else
	mkdir -p "$there/test/older/make"
	cp test/older/make/*.go "$there/test/older/make/"
	(cd "$there" && go build -trimpath -o bin/make ./test/older/make)
fi
cd "$there"
go build -trimpath -o bin/tvmexport ./cmd/tvmexport
bin/make -bin bin/tvmexport -revision "$revision" -out "$here/cmd/tvmexport/testdata/older"
cp internal/config/example.yaml "$here/cmd/tvmexport/testdata/older/tvmexport.yaml"
