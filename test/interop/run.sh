#!/usr/bin/env bash
# Runs the official Python and Node SDKs of Kusto, as their registries have them,
# against the emulator: run.sh PROGRAM [python] [node] [graph]. graph is the example of
# the Graph SDK for Python, which takes minutes to install; it runs if it is named.
#
# The packages go into .venv, node_modules and graph/.venv of test/interop, which git ignores.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
program="$(realpath "${1:?usage: run.sh PROGRAM [python] [node] [graph]}")"
shift
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(python node)

work="$(mktemp -d)"
emulator=
finish() {
	if [ -n "$emulator" ] && kill "$emulator" 2>/dev/null; then
		wait "$emulator" || true # it ends by the signal
	fi
	rm -rf "$work"
}
trap finish EXIT

# environment REQUIREMENTS DIR: a virtual environment of Python with them.
environment() {
	if ! cmp -s "$1" "$2/installed"; then
		python3 -m venv --clear "$2"
		"$2/bin/pip" install --quiet --disable-pip-version-check -r "$1"
		cp "$1" "$2/installed"
	fi
}

# install SUITE: what the suite needs, unless it is there in the pinned versions.
install() {
	case "$1" in
	python) environment "$here/python/requirements.txt" "$here/.venv" ;;
	graph) environment "$here/graph/requirements.txt" "$here/graph/.venv" ;;
	node)
		if ! cmp -s "$here/node/package-lock.json" "$here/node_modules/installed"; then
			(cd "$here/node" && npm ci --loglevel=error --no-audit --no-fund)
			rm -rf "$here/node_modules"
			mv "$here/node/node_modules" "$here/node_modules"
			cp "$here/node/package-lock.json" "$here/node_modules/installed"
		fi
		;;
	*)
		echo "run.sh: no suite $1; there are python, node and graph" >&2
		exit 2
		;;
	esac
}

for suite in "${suites[@]}"; do
	install "$suite"
done

"$program" emulator --devices 5 --quota off --batching 300ms --dir "$work" >"$work/ready" 2>"$work/log" &
emulator=$!
for _ in $(seq 300); do
	[ -s "$work/ready" ] && break
	kill -0 "$emulator" 2>/dev/null || break
	sleep 0.1
done
if [ ! -s "$work/ready" ]; then
	echo "run.sh: the emulator did not get ready" >&2
	cat "$work/log" >&2
	exit 1
fi

export EMULATOR_READY="$work/ready"
# One certificate authority for every library: requests and azure-core read the
# first, the ssl module the second, Node the third.
export REQUESTS_CA_BUNDLE="$work/ca.pem" SSL_CERT_FILE="$work/ca.pem" NODE_EXTRA_CA_CERTS="$work/ca.pem"
# A proxy would not reach the loopback address.
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost

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
	graph) example graph "$here/graph/.venv/bin/python" "$here/graph/example.py" ;;
	esac
done
exit "$failed"
