# shellcheck shell=bash
#
# What must never change while the cluster lives: the certificate authorities, the service accounts' key and the key that
# encrypts Secrets in etcd. They live on the state volume as one folder that appears whole (renamed into place) and is checked
# by digest at every boot. A sealed copy lies in the bucket: a seat that joins, replaces a lost volume or restores a
# snapshot needs nothing but the bucket and the snapshot key, which only seats can read. Sourced.

readonly AUTHORITIES=${STATE}/authorities
readonly AUTHORITY_FILES=(ca.crt ca.key etcd/ca.crt etcd/ca.key front-proxy-ca.crt front-proxy-ca.key sa.key sa.pub encryption-key)
readonly SNAPSHOT_KEY=${DROWSE_RUN}/snapshot-key

# create_authorities: once in a cluster's life, by seat 0. kubeadm makes them, into a folder that counts only when complete.
create_authorities() {
  local new=${AUTHORITIES}.new phase
  [[ ! -d ${AUTHORITIES} ]] || return 0
  rm -rf "${new}"
  mkdir -p "${new}"
  for phase in ca etcd-ca front-proxy-ca sa; do
    kubeadm init phase certs "${phase}" --config "${DROWSE_ETC}/kubeadm-authorities.yaml" >&2
  done
  head --bytes 32 /dev/urandom | base64 --wrap 0 >"${new}/encryption-key"
  keep_authorities "${new}"
}

# keep_authorities <folder on the volume>: writes down the digests, then lets the folder appear under its name.
keep_authorities() {
  (cd "$1" && sha256sum "${AUTHORITY_FILES[@]}" >digests) || fatal authorities-incomplete 'an authority is missing'
  sync --file-system "$1"
  mv -T "$1" "${AUTHORITIES}"
  sync --file-system "${STATE}"
}

check_authorities() {
  (cd "${AUTHORITIES}" && sha256sum --check --quiet --strict digests) ||
    fatal authorities-incomplete 'authorities on the volume are missing or differ from their digests'
}

# use_authorities: copies for kubeadm, beside which it makes fresh leaf certificates.
use_authorities() {
  check_authorities
  mkdir -p "${PKI}"
  cp --recursive "${AUTHORITIES}/." "${PKI}/"
  rm -f "${PKI}/digests" "${PKI}/encryption-key"
  local key
  key=$(<"${AUTHORITIES}/encryption-key")
  write_file /etc/kubernetes/encryption/config.yaml 600 <<YAML
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - secretbox:
          keys:
            - name: key1
              secret: ${key}
      # Reads Secrets that an older cluster wrote in the clear.
      - identity: {}
YAML
}

# authorities_object: where the sealed copy lies; named after its content, so that it is never overwritten by another.
authorities_object() {
  local digest
  digest=$(sha256sum "${AUTHORITIES}/digests")
  printf 'snapshots/authorities-%s.age' "${digest:0:16}"
}

# upload_authorities: seals the authorities and keeps them in the bucket.
upload_authorities() {
  fetch_snapshot_key create
  seal "${AUTHORITIES}" "${SCRATCH}/authorities.age"
  s3_put "${SCRATCH}/authorities.age" "$(authorities_object)" ||
    fatal bucket-unreachable "the sealed authorities could not be stored (${AWS_ERROR})"
}

# download_authorities <object>: the sealed copy back onto a volume that has none.
download_authorities() {
  local new=${AUTHORITIES}.new
  [[ ! -d ${AUTHORITIES} ]] || return 0
  fetch_snapshot_key
  s3_get "$1" "${SCRATCH}/authorities.age" || fatal state-lost "the bucket has no $1 (${AWS_ERROR})"
  rm -rf "${new}"
  unseal "${SCRATCH}/authorities.age" "${new}"
  (cd "${new}" && sha256sum --check --quiet --strict digests) || fatal authorities-incomplete "$1 is not complete"
  keep_authorities "${new}"
}

# fetch_snapshot_key [create]: the age identity that seals what leaves the seats; made once, by whoever comes first.
fetch_snapshot_key() {
  [[ ! -s ${SNAPSHOT_KEY} ]] || return 0
  parameter_get snapshot-key "${SCRATCH}/snapshot-key" && {
    mv -f "${SCRATCH}/snapshot-key" "${SNAPSHOT_KEY}"
    return 0
  }
  [[ ${AWS_ERROR} == ParameterNotFound && ${1:-} == create ]] ||
    fatal snapshot-key-missing "the snapshot key cannot be read (${AWS_ERROR})"
  age-keygen --output "${SCRATCH}/made-key" 2>/dev/null
  parameter_put snapshot-key SecureString false <"${SCRATCH}/made-key" || [[ ${AWS_ERROR} == ParameterAlreadyExists ]] ||
    fatal snapshot-key-missing "the snapshot key cannot be stored (${AWS_ERROR})"
  fetch_snapshot_key
}

# seal <folder> <file>; unseal <file> <folder>: a tar archive, encrypted for the snapshot key. On disk it exists only sealed.
seal() {
  tar --create --directory "$1" --sort name --mtime @0 --owner 0 --group 0 --numeric-owner . | age --encrypt --identity "${SNAPSHOT_KEY}" --output "$2.new"
  mv -f "$2.new" "$2"
}
unseal() {
  mkdir -p "$2"
  age --decrypt --identity "${SNAPSHOT_KEY}" "$1" | tar --extract --directory "$2" --no-same-owner ||
    fatal snapshot-key-wrong "$1 does not open with the snapshot key"
}

# ca_hash: the pin of the cluster's authority, as kubeadm wants it.
ca_hash() {
  local hash
  hash=$(openssl x509 -pubkey -noout -in "${PKI}/ca.crt" | openssl pkey -pubin -outform der | sha256sum)
  printf 'sha256:%s' "${hash%% *}"
}
