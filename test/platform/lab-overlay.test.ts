import { LAB_OVERLAY, overlays, readTree } from '../../lib/platform/tree';

describe('the overlay of the lab', () => {
  const { layers } = readTree({ overlay: LAB_OVERLAY, examples: [] });

  it('is none that a cluster on AWS could take', () => {
    expect(overlays()).not.toContain(LAB_OVERLAY);
  });

  it('has the layers that the node scripts wait for by name before there is a network', () => {
    expect(layers.map(({ name }) => name)).toEqual(expect.arrayContaining(['base', 'network', 'network-config']));
  });

  it('takes nothing from registries of charts: no release, and every image is one that the lab makes', () => {
    const objects = layers.flatMap(({ manifests }) => manifests);
    expect(objects.filter(({ kind }) => /^(HelmRelease|HelmChart|HelmRepository|OCIRepository)$/.test(kind))).toEqual(
      [],
    );
    const images = [...JSON.stringify(objects).matchAll(/"image":"([^"]+)"/g)].map(([, image]) => image);
    expect(new Set(images)).toEqual(
      new Set(['docker.io/library/busybox:lab', 'registry.k8s.io/provider-aws/cloud-controller-manager:lab']),
    );
  });
});
