#!/usr/bin/env bash
#
# enter.sh ROOT BUNDLE TOOLS [DEVICE PLACE]… -- COMMAND…: runs the command with ROOT as its root, in a mount namespace that the
# caller made. /usr is the host's, read-only; everything that a node writes to is ROOT's own. BUNDLE may
# be empty. Each DEVICE appears at PLACE,
# where the NVMe driver would put the state volume.
set -o errexit -o nounset -o pipefail
root=$1 bundle=$2 tools=$3
shift 3
while [[ $1 != -- ]]; do
  mount --bind "$1" "${root}/$2"
  shift 2
done
shift
mount --bind -o ro /usr "${root}/usr"
mount --bind "${root}/.usr-local" "${root}/usr/local"
[[ -z ${bundle} ]] || mount --bind "${bundle}" "${root}/opt/drowse"
mount --bind "${tools}" "${root}/test-tools"
mount --rbind /proc "${root}/proc"
for node in null zero full random urandom; do
  mount --bind "/dev/${node}" "${root}/dev/${node}"
done
exec chroot "${root}" "$@"
