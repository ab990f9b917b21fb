#!/usr/bin/env bash
#
# Debian packages of Kubernetes and containerd out of built programs, with the units and dependencies of the released ones.
#
#   make-packages.sh FOLDER PROGRAMS KUBERNETES_VERSION CONTAINERD_VERSION RUNC
#
#   FOLDER     gets kubernetes/*.deb and docker/*.deb
#   PROGRAMS   folder with kubeadm kubelet kubectl crictl containerd containerd-shim-runc-v2 ctr bridge loopback host-local portmap
#   RUNC       the program
set -o errexit -o nounset -o pipefail

readonly FOLDER=$1 PROGRAMS=$2 KUBERNETES=$3 CONTAINERD=$4 RUNC=$5
HERE=$(dirname "$(readlink -f "$0")")
readonly HERE

main() {
  mkdir -p "${FOLDER}/kubernetes" "${FOLDER}/docker"
  package kubernetes kubernetes-cni "1.10.0-1.1" '' opt/cni/bin bridge loopback host-local portmap
  package kubernetes cri-tools "${KUBERNETES}-1.1" '' usr/bin crictl
  package kubernetes kubectl "${KUBERNETES}-1.1" '' usr/bin kubectl
  package kubernetes kubelet "${KUBERNETES}-1.1" 'iptables, kubernetes-cni, mount, util-linux' usr/bin kubelet
  package kubernetes kubeadm "${KUBERNETES}-1.1" 'kubelet, kubectl, cri-tools' usr/bin kubeadm
  package docker containerd.io "${CONTAINERD}-1~debian" libseccomp2 usr/bin containerd containerd-shim-runc-v2 ctr runc
}

# package <archive> <name> <version> <dependencies> <folder> <programs…>: what else is in it lies in packages/<name>.
package() {
  local archive=$1 name=$2 version=$3 depends=$4 folder=$5 stage program
  stage=$(mktemp --directory)
  chmod 755 "${stage}"
  [[ ! -d ${HERE}/packages/${name} ]] || cp --recursive --no-preserve=ownership "${HERE}/packages/${name}/." "${stage}/"
  mkdir -p "${stage}/${folder}" "${stage}/DEBIAN"
  for program in "${@:6}"; do
    if [[ ${program} == runc ]]; then
      install --mode 755 "${RUNC}" "${stage}/${folder}/runc"
    else
      install --mode 755 "${PROGRAMS}/${program}" "${stage}/${folder}/${program}"
    fi
  done
  {
    printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: drowse lab\n' "${name}" "${version}"
    printf 'Description: %s, built from its Go module\n' "${name}"
    [[ -z ${depends} ]] || printf 'Depends: %s\n' "${depends}"
  } >"${stage}/DEBIAN/control"
  dpkg-deb --root-owner-group -Znone --build "${stage}" "${FOLDER}/${archive}/${name}_${version}_amd64.deb" >/dev/null
  rm -rf "${stage}"
}

main
