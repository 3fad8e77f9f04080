#!/usr/bin/env bash
# Runs the official Python and Node SDKs of Kusto, as their registries have them,
# against the emulator: run.sh PROGRAM [python] [node].
#
# The packages go into test/interop/.venv and test/interop/node_modules, which git ignores.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
program="$(realpath "${1:?usage: run.sh PROGRAM [python] [node]}")"
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

# install SUITE: what the suite needs, unless it is there in the pinned versions.
install() {
	case "$1" in
	python)
		if ! cmp -s "$here/python/requirements.txt" "$here/.venv/installed"; then
			python3 -m venv --clear "$here/.venv"
			"$here/.venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/python/requirements.txt"
			cp "$here/python/requirements.txt" "$here/.venv/installed"
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
	*)
		echo "run.sh: no suite $1; there are python and node" >&2
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

failed=0
for suite in "${suites[@]}"; do
	echo "== $suite"
	case "$suite" in
	python) "$here/.venv/bin/python" "$here/python/suite.py" || failed=1 ;;
	node) node "$here/node/suite.mjs" || failed=1 ;;
	esac
done
exit "$failed"
