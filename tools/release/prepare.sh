#!/usr/bin/env bash
# Writes what archives and packages contain besides the program into bin/release: manual pages, completions, the systemd
# units with the packages' path and user, an example configuration. Times do not enter: gzip -n.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
umask 022
out=bin/release
rm -rf "$out"
mkdir -p "$out"/{completions,man-gz,systemd}
GOOS= GOARCH= CGO_ENABLED=0 go build -trimpath -o "$out/program" ./cmd/tvmexport
"$out/program" man "$out/man" >/dev/null
for page in "$out"/man/*; do gzip -9nc "$page" >"$out/man-gz/$(basename "$page").gz"; done
for shell in bash zsh fish powershell; do "$out/program" completion "$shell" >"$out/completions/tvmexport.$shell"; done
mv "$out/completions/tvmexport.powershell" "$out/completions/tvmexport.ps1"
"$out/program" config example >"$out/tvmexport.yaml"
rm "$out/program"
for unit in tvmexport.service tvmexport@.service; do
	sed 's|/usr/local/bin/|/usr/bin/|; s|^# /etc/systemd/system/|# /usr/lib/systemd/system/|; s|^DynamicUser=yes$|User=tvmexport|' "deploy/systemd/$unit" >"$out/systemd/$unit"
done
