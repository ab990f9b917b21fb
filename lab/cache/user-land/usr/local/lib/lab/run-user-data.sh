#!/usr/bin/env bash
#
# Runs the instance's user data as cloud-init does.
set -o errexit -o nounset -o pipefail

readonly IMDS=http://169.254.169.254/latest
readonly SCRIPT=/var/lib/lab/user-data

mkdir -p /var/lib/lab
token=$(curl --silent --fail --retry 10 --retry-connrefused --request PUT \
  --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "${IMDS}/api/token")
curl --silent --fail --header "X-aws-ec2-metadata-token: ${token}" --output "${SCRIPT}" "${IMDS}/user-data"
: >/var/lib/lab/user-data-done
chmod 700 "${SCRIPT}"
exec "${SCRIPT}" >/var/log/cloud-init-output.log 2>&1
