# Sourced by run.sh and sdk-suites.sh: a running emulator, and the trust of each client.

work="$(mktemp -d)"
emulator=
finish() {
	if [ -n "$emulator" ] && kill "$emulator" 2>/dev/null; then
		wait "$emulator" || true # it ends by the signal
	fi
	rm -rf "$work"
}
trap finish EXIT

# start PROGRAM FLAGS...: starts the emulator; $work/ready has its ready line.
start() {
	"$1" emulator --dir "$work" "${@:2}" >"$work/ready" 2>"$work/log" &
	emulator=$!
	for _ in $(seq 300); do
		[ -s "$work/ready" ] && break
		kill -0 "$emulator" 2>/dev/null || break
		sleep 0.1
	done
	if [ ! -s "$work/ready" ]; then
		echo "the emulator did not get ready" >&2
		cat "$work/log" >&2
		exit 1
	fi
	# One certificate authority for every library: requests and azure-core read the
	# first, the ssl module and Go the second, Node the third.
	export REQUESTS_CA_BUNDLE="$work/ca.pem" SSL_CERT_FILE="$work/ca.pem" NODE_EXTRA_CA_CERTS="$work/ca.pem"
	# A proxy would not reach the loopback address.
	export NO_PROXY=127.0.0.1,localhost,.localhost no_proxy=127.0.0.1,localhost,.localhost
}

# trust_java: Java has its own store. This one trusts what the machine trusts, and the emulator.
trust_java() {
	local home
	home="$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")"
	cp "$home/lib/security/cacerts" "$work/trust"
	chmod u+w "$work/trust"
	keytool -importcert -noprompt -alias emulator -file "$work/ca.pem" -keystore "$work/trust" -storepass changeit 2>/dev/null
	java_trust=(-Djavax.net.ssl.trustStore="$work/trust" -Djavax.net.ssl.trustStorePassword=changeit)
}

# environment REQUIREMENTS DIR: a virtual environment of Python with them. What is
# imported is compiled when it is imported: the Graph SDK has thousands of files more.
environment() {
	if ! cmp -s "$1" "$2/installed"; then
		python3 -m venv --clear "$2"
		"$2/bin/pip" install --quiet --disable-pip-version-check --no-compile -r "$1"
		cp "$1" "$2/installed"
	fi
}
