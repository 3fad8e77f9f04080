#!/usr/bin/env bash
# Installs the deb of a snapshot in a Debian root without Go, and exports with it from an emulator outside, as a new user
# would: tools/release/trial.sh DIST [ROOT]. It needs root and debootstrap, unless ROOT is a Debian root. Prints the times.
set -euo pipefail
dist="$(realpath "${1:?usage: tools/release/trial.sh DIST [ROOT]}")"
work="$(mktemp -d)"
root="${2:-$work/root}"
emulator=''
end() {
	[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true
	rm -rf "$work"
}
trap end EXIT
[ -d "$root/usr" ] || debootstrap --variant=minbase bookworm "$root" >"$work/debootstrap.log"
deb="$(ls "$dist"/*_amd64.deb | head -1)"
program="$(ls -d "$dist"/tvmexport_linux_amd64*/tvmexport)"
mkdir "$work/emulator"
"$program" emulator --devices 20 --dir "$work/emulator" >"$work/ready.json" & emulator=$!
until [ -s "$work/ready.json" ]; do sleep 0.1; done
value() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$work/ready.json"; }
began=$(date +%s)
cp "$deb" "$root/tmp/tvmexport.deb"
chroot "$root" dpkg -i /tmp/tvmexport.deb
chroot "$root" test ! -e /usr/local/go
chroot "$root" stat -c '%A %U:%G %n' /etc/tvmexport /etc/tvmexport/tvmexport.yaml /usr/bin/tvmexport
chroot "$root" tvmexport version
cp "$(value ca)" "$root/tmp/ca.pem"
cat >"$root/etc/tvmexport/tvmexport.yaml" <<Y
defender: {endpoint: "$(value graph)", share: 1}
kusto: {cluster: "$(value kusto)", ingest: "$(value ingest)", database: "$(value database)"}
ca_file: /tmp/ca.pem
Y
export AZURE_TENANT_ID="$(value tenantId)" AZURE_CLIENT_ID="$(value clientId)" AZURE_CLIENT_SECRET="$(value clientSecret)" AZURE_AUTHORITY_HOST="$(value authority)"
for command in init check run status; do
	printf '\n$ tvmexport %s\n' "$command"
	chroot --userspec=tvmexport:tvmexport "$root" tvmexport "$command" --config /etc/tvmexport/tvmexport.yaml 2>&1 | tail -12
done
echo "from the deb to the first export: $(($(date +%s) - began)) s"
if command -v systemd-analyze >/dev/null; then
	mkdir -p "$root/run/systemd"
	systemd-analyze verify --root="$root" tvmexport.service tvmexport@x.service && echo "units: valid"
fi
chroot "$root" dpkg -r tvmexport
