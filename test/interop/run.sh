#!/usr/bin/env bash
# Runs the official SDKs of Kusto for Python, Node and Java and the Graph SDK for
# Python, as their registries have them, against the emulator, and
# delta-rs and DuckDB against Delta tables of this project, and files in Azurite:
# run.sh PROGRAM [python] [node] [java] [graph] [lake] [azurite].
#
# The packages go into .venv, node_modules, graph/.venv, lake/.venv, azurite/node_modules and java/target of
# test/interop,
# which git ignores, and into Maven's repository.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
program="$(realpath "${1:?usage: run.sh PROGRAM [python] [node] [java] [graph] [lake] [azurite]}")"
shift
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(python node java graph lake azurite)

. "$here/emulator.sh"

# install SUITE: what the suite needs, unless it is there in the pinned versions.
install() {
	case "$1" in
	python) environment "$here/python/requirements.txt" "$here/.venv" ;;
	graph) environment "$here/graph/requirements.txt" "$here/graph/.venv" ;;
	lake) environment "$here/lake/requirements.txt" "$here/lake/.venv" ;;
	java)
		if ! cmp -s "$here/java/pom.xml" "$here/java/target/installed"; then
			mkdir -p "$here/java/target"
			mvn --batch-mode --quiet --file "$here/java/pom.xml" dependency:build-classpath -Dmdep.outputFile="$here/java/target/classpath"
			cp "$here/java/pom.xml" "$here/java/target/installed"
		fi
		;;
	node)
		if ! cmp -s "$here/node/package-lock.json" "$here/node_modules/installed"; then
			(cd "$here/node" && npm ci --loglevel=error --no-audit --no-fund)
			rm -rf "$here/node_modules"
			mv "$here/node/node_modules" "$here/node_modules"
			cp "$here/node/package-lock.json" "$here/node_modules/installed"
		fi
		;;
	azurite)
		if ! cmp -s "$here/azurite/package-lock.json" "$here/azurite/node_modules/installed"; then
			(cd "$here/azurite" && npm ci --ignore-scripts --loglevel=error --no-audit --no-fund)
			cp "$here/azurite/package-lock.json" "$here/azurite/node_modules/installed"
		fi
		;;
	*)
		echo "run.sh: no suite $1; there are python, node, java, graph, lake and azurite" >&2
		exit 2
		;;
	esac
}

for suite in "${suites[@]}"; do
	install "$suite"
done

start "$program" --devices 5 --quota off --batching 300ms
export EMULATOR_READY="$work/ready"

# example NAME COMMAND...: runs an example of docs/emulator.md, which prints 42.
example() {
	local name=$1 answer
	shift
	if answer="$(cd "$work" && "$@")" && [ "$answer" = 42 ]; then
		echo "ok   the example $name of docs/emulator.md"
	else
		echo "FAIL the example $name of docs/emulator.md: $answer"
		failed=1
	fi
}
cp "$work/ready" "$work/ready.json"

failed=0
for suite in "${suites[@]}"; do
	echo "== $suite"
	case "$suite" in
	python)
		"$here/.venv/bin/python" "$here/python/suite.py" || failed=1
		example python "$here/.venv/bin/python" "$here/python/example.py"
		;;
	node)
		node "$here/node/suite.mjs" || failed=1
		example node node "$here/node/example.mjs"
		;;
	java)
		trust_java
		java_run=(java "${java_trust[@]}" -cp "$(cat "$here/java/target/classpath")")
		"${java_run[@]}" "$here/java/Suite.java" 2>"$work/java.log" || { failed=1; tail -n 20 "$work/java.log"; }
		example java "${java_run[@]}" "$here/java/Example.java"
		;;
	graph)
		"$here/graph/.venv/bin/python" "$here/graph/suite.py" || failed=1
		example graph "$here/graph/.venv/bin/python" "$here/graph/example.py"
		;;
	lake)
		(cd "$here/lake" && go build -o "$work/lake" .)
		"$here/lake/.venv/bin/python" "$here/lake/suite.py" "$work/lake" "$work/tables" || failed=1
		"$here/lake/.venv/bin/python" "$here/lake/export.py" "$program" "$work" || failed=1
		;;
	azurite)
		node "$here/azurite/start.mjs" >"$work/azurite" 2>"$work/azurite.log" &
		azurite=$!
		for _ in $(seq 300); do
			[ ! -s "$work/azurite" ] || break
			sleep 0.1
		done
		if [ -s "$work/azurite" ]; then
			(cd "$here/../.." && TVMEXPORT_TEST_AZURITE="$(cat "$work/azurite")" go test ./lake/store/blob -run '^TestAzurite$' -count 1 -v | grep -E '^ *--- |^ok|FAIL|_test.go') || failed=1
		else
			echo "FAIL Azurite does not start"
			cat "$work/azurite.log"
			failed=1
		fi
		kill "$azurite"
		;;
	esac
done
exit "$failed"
