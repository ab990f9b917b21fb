# shellcheck shell=bash
#
# What every node script shares: paths, log lines, failure, bounded waits, files. Sourced, never run.
#
# Globals defined here:
#   DROWSE_HOME   the unpacked node bundle
#   DROWSE_ETC    node data and rendered configuration of this instance
#   DROWSE_VAR    sentinels of this instance's disk
#   DROWSE_RUN    in memory, for root only: what all runs of a boot share
#   SCRATCH       below it, this run's own, so that no two runs mix up what they work on: credentials, keys, answers
#   STATE         mount point of the seat's state volume
#   PKI           kubeadm's certificates on this instance
#   KUBECONFIG_ADMIN  the seat's own administrator credentials

readonly DROWSE_HOME=/opt/drowse
readonly DROWSE_ETC=/etc/drowse
readonly DROWSE_VAR=/var/lib/drowse
readonly DROWSE_RUN=/run/drowse
readonly SCRATCH=${DROWSE_RUN}/scratch/$$
readonly STATE=${DROWSE_VAR}/state
readonly PKI=/etc/kubernetes/pki
readonly KUBECONFIG_ADMIN=/etc/kubernetes/admin.conf
export STATE PKI KUBECONFIG_ADMIN DROWSE_ETC

umask 077
export TZ=UTC LC_ALL=C.UTF-8

# log <level> <words…>: one line on stderr, which the journal keeps.
log() {
  printf '%(%Y-%m-%dT%H:%M:%SZ)T %-5s %s\n' -1 "$1" "${*:2}" >&2
}
info() { log info "$@"; }
warn() { log warn "$@"; }

# open_scratch: makes the folder; those of runs that were killed go, as there may be secrets in them. close_scratch: as the
# last thing that a run does.
open_scratch() {
  local folder owner dead=()
  for folder in "${DROWSE_RUN}"/scratch/*; do
    owner=${folder##*/}
    [[ ! -e ${folder} || (-d /proc/${owner} && ${owner} != "$$") ]] || dead+=("${folder}")
  done
  ((${#dead[@]} == 0)) || rm -rf "${dead[@]}"
  mkdir -p "${SCRATCH}"
}
close_scratch() { rm -rf "${SCRATCH}"; }

# fatal <reason> <words…>: ends the script. The reason, in kebab-case, becomes the phase `failed:<reason>` of a node or the
# error name of a command; it goes through a file because a fatal error may happen in a subshell.
fatal() {
  log fatal "[$1] ${*:2}"
  [[ -d ${SCRATCH} ]] || mkdir -p "${SCRATCH}"
  printf '%s\n' "$1" "${*:2}" >"${SCRATCH}/failure"
  exit 1
}

# failure_reason, failure_message: what fatal said last, or words for an error that nothing foresaw.
failure_reason() {
  local reason=unexpected
  [[ ! -e ${SCRATCH}/failure ]] || read -r reason <"${SCRATCH}/failure"
  printf '%s' "${reason}"
}
failure_message() {
  local lines=()
  [[ ! -e ${SCRATCH}/failure ]] || mapfile -t lines <"${SCRATCH}/failure"
  printf '%s' "${lines[1]:-an external command failed; the log has its words}"
}

# tells_of_full_etcd <text>: what everything says that wants to write while etcd's alarm NOSPACE is raised.
tells_of_full_etcd() { [[ $1 == *'etcdserver: mvcc: database space exceeded'* ]]; }

# wait_until <what> <reason> <seconds> <interval> <command…>: runs the command until it succeeds, sleeping between tries;
# fatal with the reason once the bound is reached. The command runs without errexit, so it must be a predicate; it
# may set WAIT_REASON where it knows better what it is waiting for.
wait_until() {
  local what=$1 reason=$2 seconds interval waited=0 started=${SECONDS}
  whole_number seconds "$3"
  whole_number interval "$4"
  shift 4
  WAIT_REASON=''
  until "$@"; do
    ((waited < seconds)) || fatal "${WAIT_REASON:-${reason}}" "${what}: not within ${seconds} s"
    ((waited > 0)) || info "waiting for ${what} (at most ${seconds} s)"
    sleep "${interval}"
    # Tries take their time as well: whichever clock is further counts.
    waited=$((waited + interval > SECONDS - started ? waited + interval : SECONDS - started))
  done
}

# write_file <path> <600|644>: standard input becomes the file, whole or not at all.
write_file() {
  local path=$1 mode=$2 text
  IFS= read -r -d '' text || true
  [[ -d ${path%/*} ]] || mkdir -p "${path%/*}"
  [[ ${mode} == 600 ]] || umask 022
  printf '%s' "${text}" >"${path}.new"
  umask 077
  mv -f "${path}.new" "${path}"
}

# python <file> <arguments…>: alone, without looking for packages of the host's, which takes it as long again.
python() { python3 -I -S "$@"; }

# json_string <variable> <JSON> <key>: the first string with that key in a document, without an interpreter. Fails if it is not
# there. Escapes are read, but for pairs of surrogates: AWS writes such characters as they are.
json_string() {
  local pattern="\"$3\"[[:space:]]*:[[:space:]]*\"([^\"]*)\"" text
  # No quote and no backslash but those that end something or begin an escape.
  text=${2//'\\'/'\u005c'}
  text=${text//'\"'/'\u0022'}
  [[ ${text} =~ ${pattern} ]] || return 1
  printf -v "$1" '%b' "${BASH_REMATCH[1]//'\/'/'/'}"
}

# json_quote <variable> <text>: any text as a JSON string.
json_quote() {
  local quoted=$2 code character escape
  quoted=${quoted//'\'/'\\'}
  quoted=${quoted//'"'/'\"'}
  for ((code = 1; code < 32; code++)); do
    printf -v escape '\\x%02x' "${code}"
    printf -v character '%b' "${escape}"
    printf -v escape '\\u%04x' "${code}"
    quoted=${quoted//"${character}"/"${escape}"}
  done
  printf -v "$1" '"%s"' "${quoted}"
}

# load_flat <name of an associative array> <JSON file>: a document of our own, which is one object of numbers and of strings
# without escapes, and needs no interpreter.
load_flat() {
  local -n flat=$1
  local text value end=','
  local field='^[[:space:]]*"([^"\\]+)"[[:space:]]*:[[:space:]]*("[^"\\]*"|[0-9]+)[[:space:]]*([,}])'
  IFS= read -r -d '' text <"$2" || true
  [[ ${text} == '{'* ]] || end='no object'
  text=${text#'{'}
  while [[ ${end} == ',' && ${text} =~ ${field} ]]; do
    text=${text:${#BASH_REMATCH[0]}}
    end=${BASH_REMATCH[3]}
    value=${BASH_REMATCH[2]#'"'}
    flat["${BASH_REMATCH[1]}"]=${value%'"'}
  done
  [[ ${end} == '}' && ${text} =~ ^[[:space:]]*$ && ${#flat[@]} -gt 0 ]] || fatal bad-document "$2 is not a flat JSON object of plain values"
}

# load_map <name of an associative array> <JSON file>: `a.b.0` becomes a key for each scalar of the document.
load_map() {
  local -n map=$1
  local lines key value
  lines=$(python "${DROWSE_HOME}/lib/data.py" flatten "$2") || fatal bad-document "$2 is not a JSON object of plain values"
  while IFS=$'\t' read -r key value; do
    map["${key}"]=${value}
  done <<<"${lines}"
  ((${#map[@]} > 0)) || fatal bad-document "$2 is empty"
}

# list_of <name of an associative array> <key>: the values of an array in it, as the global array LIST.
list_of() {
  local -n source_map=$1
  local index=0
  LIST=()
  while [[ -n ${source_map["$2.${index}"]+there} ]]; do
    LIST+=("${source_map["$2.${index}"]}")
    index=$((index + 1))
  done
}

# version_newer <a> <b>: succeeds if release a is newer than b; both are of the form 1.36.3.
version_newer() {
  local newest
  [[ $1 != "$2" ]] || return 1
  read -r newest < <(printf '%s\n' "$1" "$2" | sort --version-sort --reverse)
  [[ ${newest} == "$1" ]]
}

# A release, such as 1.36.3, v1.36.3 or 3.7.0-rc.0. The shell runs commands that stand in what it takes for a number: nothing that
# comes from outside gets into arithmetic but what this has matched whole.
readonly VERSION='v?([0-9]{1,4})\.([0-9]{1,4})\.[0-9]{1,6}(-[0-9A-Za-z.]{1,32})?'

# whole_number <variable> <text>: text that is a number and nothing else. Fatal if it is not.
whole_number() {
  [[ $2 =~ ^(0|[1-9][0-9]{0,17})$ ]] || fatal bad-document "$(quoted "$2") is no number"
  printf -v "$1" '%d' "$2"
}

# free_bytes <variable> <path>: what its file system has room for.
free_bytes() {
  local available='' unit='' blocks size room
  read -r available unit < <(stat --file-system --format '%a %S' "$2")
  whole_number blocks "${available}"
  whole_number size "${unit}"
  room=$((blocks * size))
  printf -v "$1" '%d' "${room}"
}

# number_of_minor <variable> <release>: its major and minor as one number that grows with them. Fatal if it is no release.
number_of_minor() {
  [[ $2 =~ ^${VERSION}$ ]] || fatal bad-document "$(quoted "$2") is no version such as 1.36.3"
  printf -v "$1" '%d' "$((10#${BASH_REMATCH[1]} * 10000 + 10#${BASH_REMATCH[2]}))"
}

# quoted <text>: the start of any text, on one line.
quoted() {
  local text=${1:0:80}
  printf '%s' "${text@Q}"
}

# minor_newer <a> <b>: succeeds if a's major.minor is newer than b's.
minor_newer() {
  local first second
  number_of_minor first "$1"
  number_of_minor second "$2"
  ((first > second))
}

# minors_skipped <from> <to>: whether there is a minor between these two releases.
minors_skipped() {
  local from to
  number_of_minor from "$1"
  number_of_minor to "$2"
  ((to - from > 1))
}
