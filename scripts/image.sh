#!/bin/bash
# Writes out/sightglass.oci.tar, the image that the Dockerfile describes.
# With --test it is imported into a containerd of the test's own and run there.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

ARCHIVE=$PWD/out/sightglass.oci.tar

need_go
if [[ ${1:-} == --test ]]; then
	need_linux "The image test"
	need_root "The image test" test-image
	need_packages ca-certificates containerd=containerd runc=runc
fi
scripts/build.sh
version=$(sed -n 's/^  version: //p' builder-config.yaml)
env -u GOOS -u GOARCH go build -o out/ociarchive ./scripts/ociarchive
out/ociarchive -name "localhost/sightglass:$version" -arch "$(go env GOARCH)" -o "$ARCHIVE"
say "out/sightglass.oci.tar: $(($(stat -c %s "$ARCHIVE") / 1000000)) MB, localhost/sightglass:$version"
if [[ ${1:-} == --test ]]; then
	SIGHTGLASS_IMAGE=$ARCHIVE go test -count=1 -v ./testbed/image
fi
