#!/usr/bin/env bash
# Makes the folder that the container image is built from: tools/release/image.sh FOLDER. FOLDER/root is the image's root:
# the program without emulator, the certificates of this machine (CERTIFICATES=FILE: others), licences.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder="${1:?usage: tools/release/image.sh FOLDER}"
certificates="${CERTIFICATES:-/etc/ssl/certs/ca-certificates.crt}"
version="${VERSION:-$(git describe --tags --dirty 2>/dev/null || echo development)}"
revision="${REVISION:-$(git rev-parse HEAD)}"
root="$folder/root"
rm -rf "$root"
mkdir -p "$root"/{etc/ssl/certs,etc/tvmexport,licenses,usr/local/bin}
CGO_ENABLED=0 GOOS=linux GOARCH="${ARCH:-amd64}" go build -trimpath -buildvcs=false -tags noemulator,timetzdata \
	-ldflags "-s -w -X main.version=$version -X main.revision=$revision" -o "$root/usr/local/bin/tvmexport" ./cmd/tvmexport
cp "$certificates" "$root/etc/ssl/certs/ca-certificates.crt"
cp LICENSE deploy/release/THIRD_PARTY_NOTICES.txt "$root/licenses/"
chmod -R u=rwX,go=rX "$root"
