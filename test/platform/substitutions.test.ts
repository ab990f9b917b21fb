import { KUBERNETES_MINORS } from '../../core/config/schema';
import { clusterManifest, platformParameter } from '../../lib/platform/cluster-manifest';
import type { Manifest } from '../../lib/platform/manifest';
import { substitute, variablesOf } from '../../lib/platform/substitute';
import { substitutions } from '../../lib/platform/substitutions';
import { configOf, DEPLOYED, find } from './support';

const values = (text = '') => substitutions(configOf(text), DEPLOYED);

const manifest = (text: Record<string, unknown>, annotations = {}): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', annotations },
  ...text,
});

describe('substitutions', () => {
  it('are the seed’s cluster by default', () => {
    expect(values()).toEqual({
      cluster_name: 'drowse',
      region: 'us-east-1',
      pod_cidr: '10.244.0.0/16',
      calico_dataplane: 'Iptables',
      elastic_ip: '203.0.113.7',
      app_domain: 'app.drowse.drowse.internal',
      app_email: 'hostmaster@app.drowse.drowse.internal',
      app_proxies: '"1"',
      certificate_issuer: 'self-signed',
      cloud_controller_tag: 'v1.36.1',
      cluster_autoscaler_tag: 'v1.36.1',
      gpu_plugin_config: 'exclusive',
      gpu_slices: '2',
      interruption_queue_url: 'https://sqs.us-east-1.amazonaws.com/123456789012/drowse-interruptions',
      topic_arn: 'arn:aws:sns:us-east-1:123456789012:drowse-notifications',
      source_kind: 'ExternalArtifact',
    });
  });

  it('has certificates signed by Let’s Encrypt as soon as there is a domain', () => {
    expect(values('app: { domain: ghibli.example.org, email: me@example.org }')).toMatchObject({
      app_domain: 'ghibli.example.org',
      app_email: 'me@example.org',
      certificate_issuer: 'letsencrypt-production',
    });
    expect(values('app: { domain: a.example.org, certificates: letsencrypt-staging }').certificate_issuer).toBe(
      'letsencrypt-staging',
    );
    expect(values('app: { domain: a.example.org, certificates: self-signed }').certificate_issuer).toBe('self-signed');
  });

  it('has the app believe what CloudFront writes down, if that stands before the ingress', () => {
    const certificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012';
    const { app_proxies } = values(
      `app: { domain: a.example.org, waitingPage: { certificateArn: '${certificateArn}' } }`,
    );
    // The environment takes text, and no number.
    expect(substitute(manifest({ value: '${app_proxies}' }), { app_proxies })).toMatchObject({ value: '2' });
  });

  it('follows kube-proxy’s mode and GPU sharing', () => {
    expect(values('kubernetes: { proxyMode: nftables }').calico_dataplane).toBe('Nftables');
    expect(values('gpu: { slices: 4 }')).toMatchObject({ gpu_plugin_config: 'time-sliced', gpu_slices: '4' });
  });

  it.each(KUBERNETES_MINORS)('has images that follow Kubernetes %s, and no empty value', (minor) => {
    const all = values(`kubernetes: { version: ${minor}.0 }`);
    expect(all.cloud_controller_tag).toMatch(/^v1\.\d+\.\d+$/);
    expect(Object.values(all).filter((value) => value === '')).toEqual([]);
  });
});

describe('substitute', () => {
  it('puts values into the YAML, as Flux does: numbers become numbers', () => {
    const result = substitute(manifest({ a: '${count}', b: 'x-${count}', c: ['${count}'] }), { count: '3' });
    expect(result).toMatchObject({ a: 3, b: 'x-3', c: [3] });
  });

  it('leaves alone what says so, and what has no value', () => {
    const exempt = manifest({ a: '${count}' }, { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' });
    expect(substitute(exempt, { count: '3' })).toBe(exempt);
    expect(variablesOf(exempt)).toEqual([]);
    expect(substitute(manifest({ a: '${other}' }), { count: '3' })).toMatchObject({ a: '${other}' });
  });

  it('names every variable once, operators of the shell included', () => {
    expect(variablesOf(manifest({ a: '${one} ${one}', b: '${two:=x}' }))).toEqual(['one', 'two:=x']);
  });
});

describe('clusterManifest', () => {
  const items = (text = '') => clusterManifest(configOf(text), DEPLOYED).items as unknown as Manifest[];

  it('takes the tree from nobody but the seat that has checked it', () => {
    expect(find(items(), 'ExternalArtifact', 'platform').spec).toEqual({});
    expect(find(items(), 'Kustomization', 'platform').spec).toMatchObject({
      path: './platform/clusters/default',
      sourceRef: { kind: 'ExternalArtifact', name: 'platform' },
    });
    expect(items().map(({ kind }) => kind)).toEqual(['ConfigMap', 'ExternalArtifact', 'Kustomization']);
  });

  it('fits the free size of a parameter with what a cluster usually has, and AWS’s limit with more', () => {
    const size = (text = '') => JSON.stringify(platformParameter(configOf(text), DEPLOYED, 'a'.repeat(64))).length;
    expect(size()).toBeLessThan(4096);
    expect(
      size(`name: ${'n'.repeat(20)}\napp: { domain: ${'d'.repeat(60)}.example.org, email: a@example.org }`),
    ).toBeLessThan(4096);
  });

  it('applies only signed commits where it has the keys of their signers', () => {
    const key = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n';
    const git = { url: 'https://git.example.org/me/x', signingKeys: [key] };
    const spec = (of: object) =>
      find(items(JSON.stringify({ platform: { source: 'git', git: of } })), 'GitRepository', 'platform').spec;
    expect(spec(git)).toMatchObject({ verify: { mode: 'HEAD', secretRef: { name: 'git-signers' } } });
    expect(spec({ url: git.url })).not.toHaveProperty('verify');
    expect(() => spec({ ...git, signingKeys: ['ssh-ed25519 AAAA'] })).toThrow(/use an OpenPGP public key/);
  });

  it('follows the user’s repository instead', () => {
    const git =
      'platform: { source: git, overlay: mine, git: { url: "https://git.example.org/me/x", credentials: true } }';
    expect(find(items(git), 'GitRepository', 'platform').spec).toMatchObject({
      url: 'https://git.example.org/me/x',
      ref: { branch: 'main' },
      secretRef: { name: 'git-credentials' },
    });
    const root = find(items(git), 'Kustomization', 'platform');
    expect(root.spec).toMatchObject({
      path: './platform/clusters/mine',
      sourceRef: { kind: 'GitRepository' },
    });
    expect(find(items(git), 'ConfigMap', 'cluster-values').data).toMatchObject({ source_kind: 'GitRepository' });
  });

  it.each([
    ['platform: { source: git }', /platform\.git: missing/],
    ['app: { certificates: letsencrypt }', /needs app\.domain/],
    ['gpu: { slices: 0 }', /gpu\.slices/],
    ['platform: { git: { url: "file:///x" } }', /https:\/\/ or ssh:\/\//],
    ['name: "on"', /YAML does not read/],
  ])('is never made of %s', (text, message) => {
    expect(() => configOf(text)).toThrow(message);
  });
});
