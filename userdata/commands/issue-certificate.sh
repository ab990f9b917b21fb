#!/usr/bin/env bash
#
# Signs a certificate by which one person reaches the API server, on a seat. Of the request it takes the public key alone: who it is
# for, and until when, is said here. Standard output carries certificates, which are no secrets; the key stays where it was made.
#
#   --user NAME       who it is for: what the audit log says
#   --groups GROUPS   groups of Kubernetes, with commas in between
#   --request BASE64  a certificate request (PKCS #10, DER) of an elliptic curve key (P-256)
#
# Result: {ok, certificate, ca, expiresAt}. Errors: BadArguments, BadRequest, CertificateNotIssued.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/operator.sh
source "${HERE}/../lib/operator.sh"

# What begins the public key of an elliptic curve P-256, and no other (SubjectPublicKeyInfo in base64; RFC 5480).
readonly P256_KEY='MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE'
readonly GROUP='[A-Za-z0-9][A-Za-z0-9:._/-]{0,63}'

main() {
  local certificate authority expires
  command_begin issue-certificate 'user=[A-Za-z0-9_+=,.@:/-]{1,64}' "groups=${GROUP}(,${GROUP}){0,7}" \
    'request=[A-Za-z0-9+/]{100,1000}={0,2}' -- "$@"
  check_request "${OPTIONS[request]}"
  printf -v expires '%(%Y-%m-%dT%H:%M:%SZ)T' $((EPOCHSECONDS + OPERATOR_HOURS * 3600))
  sign_request "${OPTIONS[user]}" "${OPTIONS[groups]}" "${expires}"
  json_quote certificate "$(<"${SCRATCH}/certificate.pem")"
  json_quote authority "$(<"${PKI}/ca.crt")"
  printf '{"ok":true,"certificate":%s,"ca":%s,"expiresAt":"%s"}\n' "${certificate}" "${authority}" "${expires}" >&3
}

# check_request <base64>: writes ${SCRATCH}/request.pem, if it is a request that whoever has the key has signed, of the one kind of
# key that is taken. Fatal otherwise.
check_request() {
  local request=${SCRATCH}/request.pem said key
  base64 --decode <<<"$1" >"${SCRATCH}/request.der" || fatal bad-request 'the certificate request is not in base64'
  # OpenSSL 3.0 ends well whatever it finds, and says it.
  said=$(openssl req -inform DER -in "${SCRATCH}/request.der" -verify -noout 2>&1) || fatal bad-request 'it is no certificate request'
  [[ ${said} == *'verify OK'* ]] || fatal bad-request 'the certificate request is not signed by its own key'
  openssl req -inform DER -in "${SCRATCH}/request.der" -out "${request}" || fatal bad-request 'it is no certificate request'
  key=$(openssl req -in "${request}" -noout -pubkey) || fatal bad-request 'the certificate request has no public key'
  key=${key#-----BEGIN PUBLIC KEY-----}
  key=${key//[[:space:]]/}
  [[ ${key} == "${P256_KEY}"* ]] || fatal bad-request 'the key must be of the elliptic curve P-256'
}

# sign_request <person> <groups, with commas in between> <until when, UTC ISO>: makes ${SCRATCH}/certificate.pem of
# ${SCRATCH}/request.pem. Subject and extensions are not the request's.
sign_request() {
  local subject='' group groups until=$3
  IFS=, read -r -a groups <<<"$2"
  for group in "${groups[@]}"; do
    subject+=/O=$(escaped "${group}")
  done
  subject+=/CN=$(escaped "$1")
  mkdir -p "${SCRATCH}/authority/issued"
  : >"${SCRATCH}/authority/index.txt"
  write_file "${SCRATCH}/authority/openssl.cnf" 600 <<CNF
[ca]
default_ca = operators
[operators]
database = ${SCRATCH}/authority/index.txt
new_certs_dir = ${SCRATCH}/authority/issued
certificate = ${PKI}/ca.crt
private_key = ${PKI}/ca.key
rand_serial = yes
default_md = sha256
policy = anybody
copy_extensions = none
x509_extensions = client
[anybody]
commonName = supplied
organizationName = optional
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
CNF
  # A little earlier than now, as kubeadm does: clocks differ.
  openssl ca -batch -notext -config "${SCRATCH}/authority/openssl.cnf" -in "${SCRATCH}/request.pem" -out "${SCRATCH}/certificate.pem" \
    -subj "${subject}" -startdate "$(printf '%(%Y%m%d%H%M%SZ)T' $((EPOCHSECONDS - 300)))" -enddate "${until//[-:T]/}" ||
    fatal certificate-not-issued 'OpenSSL did not sign the certificate; the log has its words'
}

# escaped <text>: so that in OpenSSL's notation of a name every character stands for itself.
escaped() {
  local text=$1 character result=''
  while [[ -n ${text} ]]; do
    character=${text:0:1}
    text=${text:1}
    [[ ${character} == [A-Za-z0-9] ]] || result+="\\"
    result+=${character}
  done
  printf '%s' "${result}"
}

main "$@"
