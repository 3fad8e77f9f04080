#!/usr/bin/env bash
# Makes the lists of names that internal/jsonnames keeps, with the program of an earlier version: test/older/names.sh [REVISION].
# It copies today's tests into a checkout of the revision, with the names that Go types had there, and lets them write.
set -euo pipefail
cd "$(dirname "$0")/../.."
revision="${1:-e3fee0b}"
here="$PWD"
there="$(mktemp -d)"
trap 'rm -rf "$there"' EXIT
git archive "$revision" | tar -x -C "$there"

copy() { # copy FILE DIRECTORY SED...: a test of today into a directory of the checkout
	mkdir -p "$there/$2"
	sed "${@:3}" "$1" >"$there/$2/$(basename "$1")"
}
copy internal/jsonnames/jsonnames.go internal/jsonnames -e ''
copy internal/jsonnames/kept.go internal/jsonnames -e ''
copy jsonnames_test.go . -e 's/tvmexport\.RunHeader/tvmexport.Origin/; s/table\.Policy/table.Choice/; s/ColumnPolicy/Choice/'
copy cmd/tvmexport/jsonnames_test.go cmd/tvmexport -e ''
copy kusto/kql/stored_test.go kusto/kql -e 's/, kql\.ShapeState//'
copy kusto/ledger/stored_test.go kusto -e 's/^package ledger/package kusto/; s/CommitDetail/commitDetail/; s/Succeeded/succeeded/; s/Failed/failedRun/'
copy internal/metrics/names_test.go internal/metrics -e ''
copy engine/landing_lines_test.go engine -e ''

cd "$there"
mkdir -p testdata
export TVMEXPORT_WRITE_NAMES=yes
go test -count=1 -run 'TestJSONNames|TestJSONForms|TestPrintedNames|TestStoredWords|TestDetailNames|TestMetricNames|TestLandingLines' \
	. ./cmd/tvmexport ./kusto ./kusto/kql ./internal/metrics ./engine

mkdir -p "$here"/{.,cmd/tvmexport,kusto/kql,kusto/ledger,internal/metrics,engine}/testdata
cp testdata/json_names.txt testdata/json_forms.txt "$here/testdata/"
cp cmd/tvmexport/testdata/printed_names.txt "$here/cmd/tvmexport/testdata/"
cp kusto/kql/testdata/stored_words.txt "$here/kusto/kql/testdata/"
# Columns that later versions changed on purpose, as the original system has them.
sed -i -e 's/^MigrationConfiguration 5 IsActive/MigrationConfiguration 6 IsActive/' \
	-e 's/^MigrationConfiguration 4 LoadType:string$/MigrationConfiguration 4 LastRefreshedTimeInString:string\nMigrationConfiguration 5 LoadType:string/' \
	-e 's/RecordCount:long/RecordCount:int/' "$here/kusto/kql/testdata/stored_words.txt"
cp kusto/testdata/detail_names.txt "$here/kusto/ledger/testdata/"
cp internal/metrics/testdata/metric_names.txt "$here/internal/metrics/testdata/"
cp engine/testdata/landing_lines.txt "$here/engine/testdata/"
