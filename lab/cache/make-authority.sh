#!/usr/bin/env bash
#
# The certificate authority of the lab: machines trust it, and what answers them under public names has certificates of it.
#
#   make-authority.sh FOLDER     writes ca.crt and ca.key
set -o errexit -o nounset -o pipefail

umask 077
openssl ecparam -name prime256v1 -genkey -noout -out "$1/ca.key"
openssl req -x509 -new -key "$1/ca.key" -days 3650 -out "$1/ca.crt" -subj '/CN=drowse lab' \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
chmod 644 "$1/ca.crt"
