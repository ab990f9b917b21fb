#!/usr/bin/env bash
# Sees to it that there is a Chromium for the page's tests: quick when there is one, else installs Debian's headless shell.
#   DROWSE_CHROMIUM  a Chromium or Chrome to use instead
set -o errexit -o nounset -o pipefail

info() { printf '%s\n' "$*" >&2; }
fatal() {
    printf '%s\n' "$*" >&2
    exit 1
}

found() {
    local name
    for name in "${DROWSE_CHROMIUM:-}" chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
        if [[ -n "$name" ]] && command -v "$name" >/dev/null; then
            return 0
        fi
    done
    return 1
}

main() {
    if found; then
        return
    fi
    command -v apt-get >/dev/null ||
        fatal "The page's tests need Chromium. Install it, or name one with DROWSE_CHROMIUM=/path/to/chrome."
    ((EUID == 0)) || fatal "The page's tests need Chromium. Install it: sudo apt-get install chromium-headless-shell"
    info "Installing Chromium for the page's tests …"
    export DEBIAN_FRONTEND=noninteractive
    local log
    log="$(mktemp)"
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium-headless-shell; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fatal "apt-get could not install chromium-headless-shell; the whole log is $log"
    fi
    rm -f "$log"
}

main
