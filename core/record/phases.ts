/**
 * The words by which a node says how far it has come. They come from a tag that the node writes itself, so whoever has taken one
 * can write anything there: workflows, mails and pages get one of these words and nothing else.
 */

/** What a node says on its way; `userdata/lib/seat.sh` and `userdata/lib/pool.sh` go through them. */
export const PHASES = ['booting', 'runtime', 'control-plane', 'waiting-for-token', 'joining', 'ready'] as const;

/** Why a node gave up: what its scripts end with (docs/nodes.md says what each means). */
export const REASONS = [
  ...['api-not-ready', 'api-unreachable', 'authorities-incomplete', 'bad-document'],
  ...['bucket-unreachable', 'bundle-unreachable', 'ca-mismatch', 'clock-skew', 'cluster-exists'],
  ...['cluster-not-initialised', 'configuration-not-applied', 'control-plane-failed', 'digest-mismatch', 'disk-full'],
  ...['etcd-newer', 'etcd-no-space', 'fixed-address-held', 'gpu-not-visible', 'images-unavailable', 'join-failed'],
  ...['kubeconfig-not-stored', 'kubernetes-newer', 'kubernetes-skips-minor', 'member-not-removed'],
  ...['metadata-unreachable', 'networks-changed', 'node-not-ready', 'packages-unavailable', 'phase-not-tagged'],
  ...['record-unreadable', 'record-unwritable', 'runtime-misconfigured', 'runtime-not-ready', 'seats-removed'],
  ...['signing-key-expired', 'snapshot-key-missing', 'snapshot-key-wrong', 'start-failed', 'state-lost'],
  ...['token-expired', 'token-foreign', 'token-missing', 'token-rejected', 'unexpected', 'volume-ambiguous'],
  ...['volume-damaged', 'volume-foreign', 'volume-held', 'volume-missing', 'volume-not-attached'],
  ...['volume-read-only'],
] as const;

/** Prefix of the phase of a node that gave up; the reason follows. */
export const FAILED = 'failed:';

/** What stands for a reason that no script of ours has. */
export const UNKNOWN_REASON = `${FAILED}unknown`;

const KNOWN = new Set<string>([...PHASES, ...REASONS.map((reason) => `${FAILED}${reason}`)]);

/**
 * The phase that a node's tag says; `booting` as long as there is none. What is no word of ours counts as failed for an unknown
 * reason if it says that it failed, and as `booting` otherwise: then the bounds of those who wait for it hold.
 */
export function phaseOf(tag: string | undefined): string {
  if (tag === undefined || KNOWN.has(tag)) return tag ?? 'booting';
  return tag.startsWith(FAILED) ? UNKNOWN_REASON : 'booting';
}

/** The time that a node's tag says, in UTC; nothing if it is none. */
export function phaseTimeOf(tag: string | undefined): string | undefined {
  return tag !== undefined &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(tag) &&
    !Number.isNaN(Date.parse(tag))
    ? tag
    : undefined;
}
