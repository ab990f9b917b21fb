#!/usr/bin/env bash
#
# Package archives in the layout of pkgs.k8s.io and download.docker.com, signed with a key of the lab.
#
#   make-archives.sh FOLDER PACKAGES MINOR [PACKAGES MINOR …]
#
#   FOLDER    gets <host>/<path> as the node scripts ask for it, and fingerprint, the key's
#   PACKAGES  folder that make-packages.sh filled
#   MINOR     of Kubernetes, for example 1.36
set -o errexit -o nounset -o pipefail

main() {
  local folder=$1
  local home=${folder}/.gnupg ubuntu=${folder}/hosts/download.docker.com/linux/ubuntu packages=$2
  mkdir -p "${home}"
  chmod 700 "${home}"
  export GNUPGHOME=${home}
  gpg --batch --quiet --passphrase '' --quick-generate-key 'drowse lab' rsa3072 sign never 2>/dev/null
  gpg --batch --with-colons --list-keys | awk -F: '$1 == "fpr" { print $10; exit }' >"${folder}/fingerprint"

  shift
  while (($# > 0)); do
    kubernetes_archive "$1" "${folder}/hosts/pkgs.k8s.io/core:/stable:/v$2/deb"
    shift 2
  done

  mkdir -p "${ubuntu}/dists/noble/pool/stable/amd64" "${ubuntu}/dists/noble/stable/binary-amd64"
  cp "${packages}"/docker/*.deb "${ubuntu}/dists/noble/pool/stable/amd64/"
  (
    cd "${ubuntu}"
    apt-ftparchive packages dists/noble/pool/stable/amd64 >dists/noble/stable/binary-amd64/Packages
    apt-ftparchive -o APT::FTPArchive::Release::Codename=noble -o APT::FTPArchive::Release::Suite=noble \
      -o APT::FTPArchive::Release::Components=stable -o APT::FTPArchive::Release::Architectures=amd64 \
      release dists/noble >.Release
    mv .Release dists/noble/Release
  )
  sign "${ubuntu}/dists/noble"
  gpg --batch --armor --export >"${ubuntu}/gpg"
  gpgconf --kill all
  rm -rf "${home}"
}

kubernetes_archive() {
  mkdir -p "$2/amd64"
  cp "$1"/kubernetes/*.deb "$2/amd64/"
  (cd "$2" && apt-ftparchive packages amd64 >Packages && apt-ftparchive release . >.Release && mv .Release Release)
  sign "$2"
  gpg --batch --armor --export >"$2/Release.key"
}

sign() {
  gpg --batch --yes --clearsign --output "$1/InRelease" "$1/Release"
  gpg --batch --yes --armor --detach-sign --output "$1/Release.gpg" "$1/Release"
}

main "$@"
