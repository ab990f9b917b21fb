# shellcheck shell=bash
#
# The AWS calls of a node, on curl alone: it signs requests itself (--aws-sigv4), so no AWS CLI has to be downloaded before
# anything else works. Credentials are the role's, from the metadata service (IMDSv2 only); they reach curl as a
# configuration on standard input, and bodies through a descriptor: neither is ever an argument. Sourced.
#
# Needs: common.sh, and NODE (node data) for region, domain and bucket.
# Sets:  IMDS_ANSWERS  the last answers of the metadata service
#        AWS_ANSWER    file with the body of the last answer of AWS
#        AWS_ERROR     AWS's code of the last failed call, or `Unreachable`

readonly IMDS=http://169.254.169.254/latest
readonly AWS_ANSWER=${SCRATCH}/aws-answer
# How long the metadata service, and each thing that it must know, may take to come up.
readonly IMDS_SECONDS=60
# Role credentials stay valid for at least five more minutes after each fetch.
readonly AWS_CREDENTIALS_SECONDS=240

AWS_ERROR=''
aws_credentials=''
aws_credentials_at=-1000
imds_token=''
IMDS_ANSWERS=()

# imds_login: a session with the metadata service.
imds_login() {
  [[ -n ${imds_token} ]] ||
    wait_until 'the metadata service' metadata-unreachable "${IMDS_SECONDS}" 5 imds_gives_token
}
imds_gives_token() {
  imds_token=$(curl --silent --fail --max-time 5 --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 21600' "${IMDS}/api/token")
}

# imds <paths…>: asks for all of them at once. Fails if one has no answer.
imds() {
  local path urls=() text
  for path in "$@"; do
    urls+=("${IMDS}/${path}")
  done
  text=$(curl --silent --fail --fail-early --max-time 5 --write-out $'\x1f' --config - "${urls[@]}" \
    <<<"header = \"X-aws-ec2-metadata-token: ${imds_token}\"") || return 1
  mapfile -d $'\x1f' -t IMDS_ANSWERS <<<"${text}"
}

# aws_refresh_credentials: without new ones, those at hand serve on for as long as AWS takes them.
aws_refresh_credentials() {
  ((SECONDS - aws_credentials_at >= AWS_CREDENTIALS_SECONDS)) || return 0
  imds_login
  if [[ -z ${aws_credentials} ]]; then
    wait_until 'credentials of the role' metadata-unreachable "${IMDS_SECONDS}" 5 imds_gives_credentials
  else
    imds_gives_credentials || warn 'the metadata service gives no new credentials'
  fi
}
imds_gives_credentials() {
  local folder=meta-data/iam/security-credentials key='' secret='' token=''
  imds "${folder}/" && imds "${folder}/${IMDS_ANSWERS[0]}" || return 1
  json_string key "${IMDS_ANSWERS[0]}" AccessKeyId && json_string secret "${IMDS_ANSWERS[0]}" SecretAccessKey &&
    json_string token "${IMDS_ANSWERS[0]}" Token || return 1
  aws_credentials="user = \"${key}:${secret}\"
header = \"x-amz-security-token: ${token}\""
  aws_credentials_at=${SECONDS}
}

# aws_call <service> <curl arguments…>: one signed request; the body of the answer goes to AWS_ANSWER. curl repeats what is
# worth repeating (throttling, 5xx, lost connections). Fails with AWS_ERROR set.
aws_call() {
  local service=$1 status body
  shift
  aws_refresh_credentials
  AWS_ERROR=''
  : >"${AWS_ANSWER}"
  status=$(curl --silent --show-error --retry 5 --retry-connrefused --max-time 120 \
    --aws-sigv4 "aws:amz:${NODE[region]}:${service}" --config - \
    --output "${AWS_ANSWER}" --write-out '%{http_code}' "$@" <<<"${aws_credentials}") || {
    AWS_ERROR=Unreachable
    warn "AWS ${service} cannot be reached"
    return 1
  }
  [[ ${status} != 2?? ]] || return 0
  AWS_ERROR=Status${status}
  # A HEAD has no body, an object may hold anything: only the first lines are looked at.
  IFS= read -r -d '' -n 4096 body <"${AWS_ANSWER}" || true
  if [[ ${body} =~ \<Code\>([A-Za-z0-9.]+)\< ]]; then
    AWS_ERROR=${BASH_REMATCH[1]}
  elif [[ ${body} =~ \"__type\"[[:space:]]*:[[:space:]]*\"([^\"#]*#)?([A-Za-z0-9.]+)\" ]]; then
    AWS_ERROR=${BASH_REMATCH[2]}
  fi
  case ${AWS_ERROR} in
    RequestTimeTooSkewed | RequestExpired) fatal clock-skew "AWS refuses this clock (${AWS_ERROR})" ;;
    ExpiredToken*) fatal metadata-unreachable "AWS does not take the role's credentials any more, and there are no others (${AWS_ERROR})" ;;
  esac
  return 1
}

# aws_query <service> <version> <Action> <Name=value>…: a query API; the answer is XML.
aws_query() {
  local arguments=() pair
  for pair in "Action=$3" "Version=$2" "${@:4}"; do
    arguments+=(--data-urlencode "${pair}")
  done
  aws_call "$1" "https://$1.${NODE[region]}.${NODE[domain]}/" "${arguments[@]}"
}
aws_ec2() { aws_query ec2 2016-11-15 "$@"; }
aws_autoscaling() { aws_query autoscaling 2011-01-01 "$@"; }

# aws_ec2_each <function> <set> <field…>: calls the function with the fields of each item that the last EC2 answer has there.
aws_ec2_each() {
  local lines line fields
  lines=$(python "${DROWSE_HOME}/lib/data.py" rows "${AWS_ANSWER}" "${@:2}") || return 1
  [[ -n ${lines} ]] || return 0
  while IFS= read -r line; do
    IFS=$'\x1f' read -r -a fields <<<"${line}"
    "$1" "${fields[@]}"
  done <<<"${lines}"
}

# aws_json <service> <target prefix> <action>: a JSON API; the body comes on standard input.
aws_json() {
  local body
  IFS= read -r -d '' body || true
  aws_call "$1" "https://$1.${NODE[region]}.${NODE[domain]}/" --header 'Content-Type: application/x-amz-json-1.1' \
    --header "X-Amz-Target: $2.$3" --data-binary @/dev/fd/4 4<<<"${body}"
}
aws_ssm() { aws_json ssm AmazonSSM "$1"; }
aws_logs() { aws_json logs Logs_20140328 "$1"; }

# s3_get <key> <file>; s3_put <file> <key> <curl arguments…>
s3_get() {
  aws_call s3 "$(s3_url "$1")" || return 1
  mv -f "${AWS_ANSWER}" "$2"
}
# The digest is part of the signature, so S3 refuses a body that was changed on its way.
s3_put() {
  local digest
  digest=$(sha256sum "$1") || return 1
  aws_call s3 "$(s3_url "$2")" --upload-file "$1" --header "x-amz-content-sha256: ${digest%% *}" "${@:3}"
}
# A colon is written as S3 signs it: curl takes the path as it stands.
s3_url() {
  printf 'https://%s.s3.%s.%s/%s' "${NODE[bucket]}" "${NODE[region]}" "${NODE[domain]}" "${1//:/%3A}"
}

# parameter_get <name below the cluster's root> <file>: decrypted value of an SSM parameter.
parameter_get() {
  aws_ssm GetParameter <<<"{\"Name\":\"/drowse/${NODE[cluster]}/$1\",\"WithDecryption\":true}" || return 1
  local answer value
  IFS= read -r -d '' answer <"${AWS_ANSWER}" || true
  json_string value "${answer}" Value || return 1
  printf '%s' "${value}" >"$2"
}

# parameter_put <name> <type> <overwrite: true|false>: of the value on standard input.
parameter_put() {
  local value
  IFS= read -r -d '' value || true
  json_quote value "${value}"
  aws_ssm PutParameter <<<"{\"Name\":\"/drowse/${NODE[cluster]}/$1\",\"Type\":\"$2\",\"Overwrite\":$3,\"Value\":${value}}"
}

# parameter_put_for <name> <ARN of an instance>: of the value on standard input, a SecureString that a pool's role lets this instance
# alone read. A tag can only be given as a parameter is made; one that is there already has it.
parameter_put_for() {
  local value name
  IFS= read -r -d '' value || true
  json_quote value "${value}"
  name="/drowse/${NODE[cluster]}/$1"
  aws_ssm PutParameter <<<"{\"Name\":\"${name}\",\"Type\":\"SecureString\",\"Tags\":[{\"Key\":\"drowse:only-for\",\"Value\":\"$2\"}],\"Value\":${value}}" && return 0
  [[ ${AWS_ERROR} == ParameterAlreadyExists ]] || return 1
  aws_ssm PutParameter <<<"{\"Name\":\"${name}\",\"Type\":\"SecureString\",\"Overwrite\":true,\"Value\":${value}}"
}

# parameter_delete <name>: one that is gone already is as good.
parameter_delete() {
  aws_ssm DeleteParameter <<<"{\"Name\":\"/drowse/${NODE[cluster]}/$1\"}" || [[ ${AWS_ERROR} == ParameterNotFound ]]
}
