/** What the shell would take for arithmetic, and run as root. */
export const HOSTILE = 'BASH_VERSINFO[$(mkdir -p /root/ran)].6';

/** Fields of a snapshot's manifest, and values that neither a step nor a script takes; undefined: the field is not there. */
export const BROKEN_MANIFESTS: readonly (readonly [field: string, value: unknown])[] = [
  ['schema', 2],
  ['cluster', 'a'.repeat(40)],
  ['at', HOSTILE],
  ['at', '2026-13-41T08:00:00Z'],
  ['reason', 'whim'],
  ['sha256', `${'0'.repeat(64)}  /dev/null\n`],
  ['bytes', 1e15],
  ['revision', HOSTILE],
  ['kubernetes', HOSTILE],
  ['kubernetes', ''],
  ['etcd', HOSTILE],
  ['etcd', '3.99999999999999999999'],
  ['etcd', '3.6.8\n4.0.0'],
  ['etcd', undefined],
  ['more', 'x'],
];
