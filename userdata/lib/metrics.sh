# shellcheck shell=bash
#
# What Prometheus should know although it was off when it happened: files that node exporter's text collector reads. It runs as
# nobody in particular, so they are open to all, and nothing secret is in them. A seat keeps them on its state volume, too: they
# outlive a sleep. Sourced.

readonly METRICS=${DROWSE_VAR}/metrics

# open_metrics: once a boot. The folder's parent may be passed through from then on, and still not be listed.
open_metrics() {
  mkdir -p "${METRICS}"
  chmod 711 "${DROWSE_VAR}"
  chmod 755 "${METRICS}"
}

# bring_metrics_back: what an earlier instance of this seat left.
bring_metrics_back() {
  local files=()
  shopt -s nullglob
  files=("${STATE}/metrics/"*.prom)
  shopt -u nullglob
  ((${#files[@]} == 0)) || cp --preserve=mode "${files[@]}" "${METRICS}/" || warn 'the metrics on the state volume cannot be read'
}

# write_metrics <name>: standard input becomes the file, whole or not at all. What it tells of has happened, whether it can be
# told or not: never fatal.
write_metrics() {
  local folder text
  IFS= read -r -d '' text || true
  for folder in "${STATE}/metrics" "${METRICS}"; do
    if ! put_metrics "${folder}" "$1" "${text}"; then
      warn "the metrics $1 cannot be written to ${folder}"
    fi
  done
}
put_metrics() {
  mkdir -p "$1" && printf '%s' "$3" >"$1/$2.new" && chmod 644 "$1/$2.new" && mv -f "$1/$2.new" "$1/$2.prom"
}
