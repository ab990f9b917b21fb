import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildNodeBundle,
  labelsOfPool,
  nodeInstall,
  parseNodeData,
  renderUserData,
  UserDataTooLarge,
} from '../../lib/node';
import { poolData, seatData } from '../userdata/support/nodes';

const folder = mkdtempSync(join(tmpdir(), 'drowse-bundle-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const digest = { sha256: 'a'.repeat(64) };

describe('the node bundle', () => {
  test('has the same bytes each time, under the name of its digest', () => {
    const [one, two] = [
      buildNodeBundle(nodeInstall('1.36.3'), join(folder, '1')),
      buildNodeBundle(nodeInstall('1.36.3'), join(folder, '2')),
    ];
    expect(readFileSync(one.file).equals(readFileSync(two.file))).toBe(true);
    expect(one.key).toBe(`node/${createHash('sha256').update(readFileSync(one.file)).digest('hex')}.tar.gz`);
    expect(one.sha256).toBe(two.sha256);
  });

  test('is another one for another Kubernetes version or another image', () => {
    const digests = [
      nodeInstall('1.36.3'),
      nodeInstall('1.36.4'),
      nodeInstall('1.36.3', { pool: ['quay.io/a/b:1'] }),
    ].map((install) => buildNodeBundle(install, folder).sha256);
    expect(new Set(digests).size).toBe(3);
  });

  test('carries programs that can be run and libraries that are only read, and no user data', () => {
    const { file } = buildNodeBundle(nodeInstall('1.36.3'), folder);
    const list = execFileSync('tar', ['-tvzf', file], { encoding: 'utf8' }).trimEnd().split('\n');
    const modes = Object.fromEntries(list.map((line) => [line.split(/\s+/).at(-1)!, line.slice(0, 10)]));
    expect(modes['node.sh']).toBe('-rwxr-xr-x');
    expect(modes['commands/snapshot-etcd.sh']).toBe('-rwxr-xr-x');
    expect(modes['lib/seat.sh']).toBe('-rw-r--r--');
    expect(modes['install.json']).toBe('-rw-r--r--');
    expect(Object.keys(modes)).not.toContain('user-data.sh');
  });
});

describe('user data', () => {
  test.each([
    ['seat', seatData(0, 3)],
    ['pool', poolData()],
    ['GPU pool with three seats', poolData({ gpu: true, seats: 3 })],
  ])('of a %s is small', (_name, data) => {
    expect(Buffer.byteLength(renderUserData(data, digest))).toBeLessThan(2200);
  });

  test('is refused when labels make it larger than EC2 takes', () => {
    const data = poolData();
    data.pool!.labels = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`key-${String(i)}`, 'x'.repeat(60)]));
    expect(() => renderUserData(data, digest)).toThrow(UserDataTooLarge);
  });

  test('keeps a value with quotes and dollar signs as data', () => {
    const data = poolData();
    data.pool!.labels = { a: `$(touch /tmp/x) 'single' "double" $&` };
    const text = renderUserData(data, digest);
    const json = text.split('\n').find((line) => line.startsWith('{'))!;
    expect(JSON.parse(json)).toEqual(data);
  });
});

describe('node data', () => {
  test('says exactly one role', () => {
    expect(() => parseNodeData({ ...seatData(), role: 'pool' })).toThrow('pool is given exactly if role is pool');
    expect(() => parseNodeData({ ...seatData(), seat: undefined })).toThrow('seat is given exactly if role is seat');
  });

  test('labels of a pool are sorted, and its own win', () => {
    expect(
      labelsOfPool({ name: 'gpu', gpu: true, ingress: true, labels: { 'k8s.amazonaws.com/accelerator': 't4' } }),
    ).toEqual({
      'drowse.dev/ingress': 'true',
      'drowse.dev/pool': 'gpu',
      'k8s.amazonaws.com/accelerator': 't4',
      'nvidia.com/gpu.present': 'true',
    });
  });
});
