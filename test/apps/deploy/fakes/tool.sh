#!/usr/bin/env bash
# Plays git, docker, kubectl or cdk, whichever name it is called by: records the call and answers as the test wants.
#   FAKE_CALLS  file to which each call is added
#   FAKE_FAIL   a call that matches this regular expression fails
#   FAKE_HANG   a call that matches this one does not end by itself
#   FAKE_ROOT   repository whose release file Flux is taken to have applied
#   FAKE_DIRTY  what `git status` answers
set -o errexit -o nounset -o pipefail

call="$(basename "$0") $*"
printf '%s\n' "$call" >>"$FAKE_CALLS"
if [[ -n "${FAKE_FAIL:-}" && "$call" =~ $FAKE_FAIL ]]; then
    echo "no luck with $call" >&2
    exit 7
fi
if [[ -n "${FAKE_HANG:-}" && "$call" =~ $FAKE_HANG ]]; then
    exec sleep 60
fi
image="$(sed -n 's/^ *value: \([^ ]*:.*\)/\1/p' "$FAKE_ROOT/platform/apps/ghibli/release/kustomization.yaml")"
case "$call" in
    'git rev-parse'*) echo 1a2b3c4d5e6f ;;
    'git status'*release*) echo ' M' ;;
    'git status'*) printf '%s' "${FAKE_DIRTY:-}" ;;
    'cdk deploy'*) printf '%s\n' "$image" >>"$FAKE_ROOT/deployed" ;;
    *'get deployment/ghibli'*) printf '%s' "$image" ;;
    *'rollout status'*)
        # Images that are broken say so in their name.
        [[ "$image" != *broken* ]] || exit 1
        ;;
esac
