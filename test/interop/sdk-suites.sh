#!/usr/bin/env bash
# Runs the ingestion suites of the official SDKs, from checkouts of their repositories in
# a folder outside this one, against the emulator:
#
#   sdk-suites.sh PROGRAM DIR [go] [python] [node] [java]
#
# DIR holds azure-kusto-go, azure-kusto-python, azure-kusto-node and azure-kusto-java, or
# some of them. The suites run as they are: they are given addresses, sign-in and trust.
# Ends with 1 if a test fails that sdk-suites.txt does not name with a reason.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
program="$(realpath "${1:?usage: sdk-suites.sh PROGRAM DIR [go] [python] [node] [java]}")"
dir="$(realpath "${2:?usage: sdk-suites.sh PROGRAM DIR [go] [python] [node] [java]}")"
suites=("${@:3}")
if [ ${#suites[@]} = 0 ]; then
	for suite in go python node java; do
		[ -d "$dir/azure-kusto-$suite" ] && suites+=("$suite")
	done
fi
[ ${#suites[@]} -gt 0 ] || { echo "sdk-suites.sh: $dir holds none of azure-kusto-go, azure-kusto-python, azure-kusto-node, azure-kusto-java" >&2; exit 2; }

# The Go suite derives the ingestion URI from the cluster's, which needs a name. Names below
# localhost do not resolve everywhere: there, a name space of its own gets another hosts file.
name=k.localhost
if [[ " ${suites[*]} " == *" go "* ]] && ! getent hosts "ingest-$name" >/dev/null; then
	[ -z "${SDK_SUITES_HOSTS:-}" ] || { echo "sdk-suites.sh: $name does not resolve: add '127.0.0.1 $name ingest-$name' to /etc/hosts" >&2; exit 2; }
	hosts="$(mktemp)"
	trap 'rm -f "$hosts"' EXIT
	{ cat /etc/hosts && echo "127.0.0.1 $name ingest-$name"; } >"$hosts"
	SDK_SUITES_HOSTS="$hosts" unshare --mount --map-root-user sh -c 'mount --bind "$SDK_SUITES_HOSTS" /etc/hosts && exec "$@"' \
		sh "${BASH_SOURCE[0]}" "$program" "$dir" "${suites[@]}"
	exit
fi

. "$here/emulator.sh"
results="$work/results"
mkdir "$results"

# All packages come before the emulator: from then on, its authority is the only one that clients trust.
for suite in "${suites[@]}"; do
	cd "$dir/azure-kusto-$suite"
	case "$suite" in
	go)
		for module in azkustodata azkustoingest; do
			(cd "$module" && go mod download)
		done
		;;
	python)
		python3 -m venv "$work/venv"
		"$work/venv/bin/pip" install --quiet --disable-pip-version-check pytest pytest-asyncio pytest-xdist pandas \
			'./azure-kusto-data[aio]' './azure-kusto-ingest[aio]'
		;;
	node)
		[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
		[ -d packages/azure-kusto-data/dist-esm ] || npm run build --silent >"$work/log.node-build" 2>&1
		;;
	java) mvn --batch-mode --quiet -pl data,ingest -am test-compile >"$work/log.java" 2>&1 ;;
	*)
		echo "sdk-suites.sh: no suite $suite; there are go, python, node and java" >&2
		exit 2
		;;
	esac
done

start "$program" --devices 5 --quota off --batching 300ms
ready() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/ready" "$1"; }
port() { ready "$1" | sed 's/.*://'; }

TEST_DATABASE="$(ready database)" APP_ID="$(ready adminClientId)" APP_KEY="$(ready adminClientSecret)" AZURE_AUTHORITY_HOST="$(ready authority)"
ENGINE_CONNECTION_STRING="https://localhost:$(port kusto)" DM_CONNECTION_STRING="https://localhost:$(port ingest)"
TENANT="$(ready tenantId)"
AZURE_CLIENT_ID="$APP_ID" AZURE_CLIENT_SECRET="$APP_KEY"
# A tenant's id is validated at Microsoft's own sign-in, this name never is.
AZURE_TENANT_ID=adfs TENANT_ID=adfs
export TEST_DATABASE APP_ID APP_KEY AZURE_AUTHORITY_HOST ENGINE_CONNECTION_STRING DM_CONNECTION_STRING TENANT \
	AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_TENANT_ID TENANT_ID

# What the suites find in the databases that they are made for.
python3 "$here/sdk-suites.py" prepare "$work/ready"

for suite in "${suites[@]}"; do
	echo "== $suite"
	cd "$dir/azure-kusto-$suite"
	case "$suite" in
	go)
		for module in azkustodata azkustoingest; do
			(cd "$module" && ENGINE_CONNECTION_STRING="https://$name:$(port kusto)" go test -count 1 -timeout 20m -json ./test/etoe/...) \
				>"$results/go-$module.jsonl" || true
		done
		;;
	python)
		for package in data ingest; do
			if [ "$package" = data ] && [ ! -f azure-kusto-data/tests/input/big_source.csv ]; then
				echo "the checkout lacks azure-kusto-data/tests/input/big_source.csv: test_e2e_data.py is left out"
				continue
			fi
			(cd "azure-kusto-$package" && "$work/venv/bin/python" -m pytest -q -p no:cacheprovider "tests/test_e2e_$package.py" \
				--junitxml "$results/python-$package.xml") >"$work/log.python-$package" 2>&1 || true
		done
		;;
	node)
		NODE_OPTIONS=--experimental-vm-modules npx jest --selectProjects azure-kusto-ingest -t "E2E Tests" --forceExit \
			--json --outputFile "$results/node.json" >"$work/log.node" 2>&1 || true
		;;
	java)
		trust_java
		TENANT_ID="$TENANT" CI_EXECUTION=1 JAVA_TOOL_OPTIONS="${java_trust[*]}" mvn --batch-mode --quiet -pl data,ingest -am test \
			-Dtest=E2ETest -Dsurefire.failIfNoSpecifiedTests=false >"$work/log.java" 2>&1 || true
		cp ingest/target/surefire-reports/TEST-*E2ETest.xml "$results/java.xml" || tail -n 40 "$work/log.java"
		;;
	esac
done
for log in "$work"/log.*; do
	[ -e "$log" ] || continue # the Go suite has none
	cp "$log" "$results/"
done
python3 "$here/sdk-suites.py" judge "$here/sdk-suites.txt" "$results" "${suites[@]}"
