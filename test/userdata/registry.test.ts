import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cloud } from './support/cloud';
import { newCloudState, type CloudState } from './support/cloud-state';
import { poolData } from './support/nodes';

const REGISTRY = join(__dirname, '../../userdata/lib/registry.py');
const folder = mkdtempSync(join(tmpdir(), 'drowse-registry-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The registry with the cloud of the tests in AWS's place, at a port of its own; as curl's --connect-to does for the scripts. */
const STARTED = `
import importlib.util, socket, sys
path, node_data, port, http, https = sys.argv[1:]
connect = socket.create_connection
socket.create_connection = lambda address, *rest, **named: connect(
    ("127.0.0.1", int(http if address[0] == "169.254.169.254" else https)), *rest, **named)
spec = importlib.util.spec_from_file_location("registry", path)
registry = importlib.util.module_from_spec(spec)
spec.loader.exec_module(registry)
registry.PORT = int(port)
registry.main(node_data)
`;

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const [manifest, layer, foreign] = ['{"schemaVersion":2}', 'a layer', 'of no image'].map((text) => ({
  text,
  digest: digestOf(text),
  key: `images/sha256/${digestOf(text).slice(7)}`,
})) as [Content, Content, Content];
interface Content {
  text: string;
  digest: string;
  key: string;
}

const running: { child: ChildProcess; cloud: Cloud }[] = [];
afterEach(async () => {
  const problems = running.flatMap(({ cloud }) => cloud.problems);
  for (const { child, cloud } of running.splice(0)) {
    child.kill();
    await cloud.stop();
  }
  expect(problems).toEqual([]);
});

interface Node {
  state: CloudState;
  cloud: Cloud;
  log: () => string;
  /** Asks as containerd does; with the image's registry as `ns`. */
  ask: (path: string, method?: string) => Promise<Response>;
}

async function start(change: (state: CloudState) => void = () => undefined): Promise<Node> {
  const state = newCloudState();
  const image = { digest: manifest.digest, mediaType: MANIFEST, size: manifest.text.length };
  const images = {
    'quay.io/a/b:v1': { ...image, blobs: [manifest.digest, layer.digest] },
    'quay.io/large:1': { blobs: [] },
  };
  state.objects['images/list.json'] = Buffer.from(JSON.stringify({ images }));
  for (const { key, text } of [manifest, layer, foreign]) state.objects[key] = Buffer.from(text);
  change(state);
  const cloud = await Cloud.start(state);
  const data = join(folder, 'node.json');
  writeFileSync(data, JSON.stringify(poolData()));
  const port = await freePort();
  const child = spawn(
    'python3',
    ['-I', '-S', '-c', STARTED, REGISTRY, data, String(port), String(cloud.ports.http), String(cloud.ports.https)],
    { env: { ...process.env, SSL_CERT_FILE: cloud.certificate }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  running.push({ child, cloud });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ask = (path: string, method = 'GET') =>
    fetch(`http://127.0.0.1:${String(port)}/v2/${path}?ns=quay.io`, { method, redirect: 'manual' });
  while (
    !(await ask('').then(
      () => true,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`the registry ended: ${log}`);
    await new Promise((done) => setTimeout(done, 20));
  }
  return { state, cloud, log: () => log, ask };
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

/** Follows an address of S3 to the cloud of the tests, which checks its signature. */
function follow({ cloud }: Node, response: Response, method = 'GET'): Promise<{ status: number; body: string }> {
  const { host, pathname, search } = new URL(response.headers.get('location')!);
  return new Promise((done, fail) => {
    const options = { host: '127.0.0.1', port: cloud.ports.https, path: pathname + search, method, headers: { host } };
    httpsRequest({ ...options, ca: readFileSync(cloud.certificate), servername: host }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('end', () => done({ status: answer.statusCode ?? 0, body }));
    })
      .on('error', fail)
      .end();
  });
}

test('a tag is what the list says; its content is in S3, at an address that S3 accepts', async () => {
  const node = await start();
  const head = await node.ask('a/b/manifests/v1', 'HEAD');
  expect(head.status).toBe(200);
  expect(Object.fromEntries(head.headers)).toMatchObject({
    'docker-content-digest': manifest.digest,
    'content-type': MANIFEST,
    'content-length': String(manifest.text.length),
  });
  for (const [path, { text }] of [
    ['a/b/manifests/v1', manifest],
    [`a/b/manifests/${manifest.digest}`, manifest],
    [`a/b/blobs/${layer.digest}`, layer],
  ] as const) {
    const found = await node.ask(path);
    expect(found.status).toBe(307);
    expect(await follow(node, found)).toEqual({ status: 200, body: text });
  }
  const byDigest = await node.ask(`a/b/manifests/${manifest.digest}`, 'HEAD');
  expect(await follow(node, byDigest, 'HEAD')).toMatchObject({ status: 200 });
});

test('whatever is not on the list is left to the image’s registry', async () => {
  const { ask } = await start();
  for (const path of [
    'a/b/manifests/v2',
    'a/c/manifests/v1',
    // Too large to be kept.
    'large/manifests/1',
    `a/b/blobs/${foreign.digest}`,
    'a/b/blobs/../../snapshots',
    'a/b/tags/list',
    '',
    // The same path of another registry is another image.
    'a/b/manifests/v1?ns=docker.io&',
  ]) {
    expect([path, (await ask(path)).status]).toEqual([path, 404]);
    expect([path, (await ask(path, 'HEAD')).status]).toEqual([path, 404]);
  }
});

test.each<[string, (state: CloudState) => void]>([
  [
    'without a list',
    (state) => {
      state.objects = {};
    },
  ],
  [
    'with a list that is none',
    (state) => {
      state.objects['images/list.json'] = Buffer.from('{"images":');
    },
  ],
  [
    'with a bucket that does not answer',
    (state) => {
      state.bucketDown = true;
    },
  ],
  [
    'that S3 refuses',
    (state) => {
      state.refuse = { 'GET images': 'AccessDenied' };
    },
  ],
  [
    'without credentials',
    (state) => {
      state.metadataDown = 1000;
    },
  ],
])('a node %s leaves everything to the registries, and says so', async (_what, change) => {
  const node = await start(change);
  expect((await node.ask('a/b/manifests/v1', 'HEAD')).status).toBe(404);
  expect((await node.ask(`a/b/blobs/${layer.digest}`)).status).toBe(404);
  expect(node.log()).toContain('the bucket does not give its list of images');
});

test('content that is asked for again and again, as damaged content is, is left to its registry', async () => {
  const { ask, log } = await start();
  const statuses = [];
  for (let n = 0; n < 4; n++) statuses.push((await ask(`a/b/blobs/${layer.digest}`)).status);
  expect(statuses).toEqual([307, 307, 307, 404]);
  expect(log()).toContain(`${layer.digest} is left to quay.io`);
  expect((await ask(`a/b/manifests/${manifest.digest}`)).status).toBe(307);
});

/** The example of AWS's documentation, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)". */
test('addresses are signed as AWS shows it', () => {
  const script = `
import datetime, importlib.util, sys
spec = importlib.util.spec_from_file_location("registry", sys.argv[1])
registry = importlib.util.module_from_spec(spec)
spec.loader.exec_module(registry)
keys = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
at = datetime.datetime(2013, 5, 24)
print(registry.signed_address("GET", "examplebucket.s3.amazonaws.com", "test.txt", "us-east-1", keys, at, 86400))
`;
  const address = execFileSync('python3', ['-I', '-S', '-c', script, REGISTRY], { encoding: 'utf8' });
  expect(new URL(address.trim()).searchParams.get('X-Amz-Signature')).toBe(
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

test('containerd is sent to where the registry listens', () => {
  const hosts = readFileSync(
    join(__dirname, '../../userdata/files/etc/containerd/certs.d/_default/hosts.toml'),
    'utf8',
  );
  const port = /^PORT = (\d+)$/m.exec(readFileSync(REGISTRY, 'utf8'))?.[1];
  expect(hosts).toContain(`[host."http://127.0.0.1:${String(port)}"]`);
  // Without a server of its own, containerd goes on to the registry that the image names.
  expect(hosts).not.toMatch(/^server/m);
});
