import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../../local/run/paths';
import type { Manifest } from '../../lib/platform/manifest';
import { apply, kubectl, must } from './kubectl';

/* What the real API server lets in with the seats' admission file and the tree's policy of host networks. */

const ADMISSION = readFileSync(path.join(ROOT, 'platform/configs/policies/admission.yaml'), 'utf8');
const CONTROL_PLANE = { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' };
/** Nobody has labelled it. */
const PLAIN = 'admission-plain';
/** Its owner has labelled it `privileged`. */
const LABELLED = 'admission-labelled';

beforeAll(async () => {
  for (const [name, labels] of [
    [PLAIN, {}],
    [LABELLED, { 'pod-security.kubernetes.io/enforce': 'privileged', 'pod-security.kubernetes.io/warn': 'privileged' }],
  ] as const)
    expect(apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }]).refused).toEqual([]);
  const policies = parseAllDocuments(ADMISSION).map((document) => document.toJS() as Manifest);
  expect(apply(policies)).toEqual({ refused: [], warnings: [] });
  // Each namespace gets its service account, and the policy is in force, some seconds later.
  const until = Date.now() + 300_000;
  const ready = () =>
    [PLAIN, LABELLED].every((namespace) => kubectl(['get', 'serviceaccount', 'default', '-n', namespace]).ok) &&
    said(LABELLED, { hostNetwork: true, nodeName: 'a' }).includes('host network');
  while (!ready()) {
    if (Date.now() > until) throw new Error('the policy never came into force');
    await sleep(500);
  }
}, 600_000);

/** What the API server says to a pod; nothing if it takes it without a word. */
function said(namespace: string, spec: object, security: object = {}): string {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'asks', namespace },
    spec: { containers: [{ name: 'c', image: 'registry.k8s.io/pause:3.10', securityContext: security }], ...spec },
  };
  return kubectl(['create', '--dry-run=server', '--filename', '-'], JSON.stringify(pod)).stderr;
}

const RESTRICTED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

test('in a namespace that nobody labelled nothing is privileged', () => {
  expect(said(PLAIN, {}, { privileged: true })).toMatch(/violates PodSecurity "baseline:latest": privileged/);
  expect(said(PLAIN, { hostPID: true })).toMatch(/violates PodSecurity "baseline:latest": host namespaces/);
  expect(said(PLAIN, { hostNetwork: true })).toMatch(/violates PodSecurity "baseline:latest"/);
});

test('what is not restricted there is let in with a warning, and what is without one', () => {
  expect(said(PLAIN, {})).toMatch(/^Warning: would violate PodSecurity "restricted:latest"/);
  expect(said(PLAIN, {}, RESTRICTED)).toBe('');
});

test('the namespaces of Kubernetes and of the network plugin are as they need to be', () => {
  expect(said('kube-system', { hostNetwork: true, tolerations: [CONTROL_PLANE] }, { privileged: true })).toBe('');
});

describe('in a namespace that its owner labelled privileged', () => {
  test.each([
    ['with the seats’ toleration', { tolerations: [CONTROL_PLANE] }],
    ['that tolerates every effect of it', { tolerations: [{ key: CONTROL_PLANE.key, operator: 'Exists' }] }],
    ['that tolerates everything', { tolerations: [{ operator: 'Exists' }] }],
    ['that names its node', { nodeName: 'i-0aaaaaaaaaaaaaaaa' }],
  ])('a pod on the host network %s is refused', (_what, spec) => {
    expect(said(LABELLED, { hostNetwork: true, ...spec })).toContain('may not be on a seat of the control plane');
  });

  test.each([
    ['on the host network of whatever node is not a seat', { hostNetwork: true }],
    [
      'that tolerates another taint',
      { hostNetwork: true, tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }] },
    ],
    ['on a seat, on a network of its own', { tolerations: [CONTROL_PLANE] }],
  ])('a pod %s is let in', (_what, spec) => {
    expect(said(LABELLED, spec)).toBe('');
  });
});

afterAll(() => {
  must(['delete', 'namespace', PLAIN, LABELLED, '--wait=false']);
});
