# shellcheck shell=bash
# played <command> <arguments…>: has the test process play the command (player.ts), at the port PLAYER_PORT.
played() {
  local argument inputs=() input connection code output errors
  for argument in "${@:2}"; do
    case ${argument} in
      -) IFS= read -r -d '' input || : ;;
      @/dev/fd/*) IFS= read -r -d '' input <&"${argument##*/}" || : ;;
      *) continue ;;
    esac
    inputs+=("${input}")
  done
  exec {connection}<>"/dev/tcp/127.0.0.1/${PLAYER_PORT}"
  printf '%s\0' "$#" "$@" "${#inputs[@]}" "${inputs[@]}" >&"${connection}"
  IFS= read -r -d '' code <&"${connection}"
  IFS= read -r -d '' output <&"${connection}"
  IFS= read -r -d '' errors <&"${connection}"
  exec {connection}>&-
  printf '%s' "${output}"
  printf '%s' "${errors}" >&2
  return "${code}"
}
