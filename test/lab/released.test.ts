import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tar from 'tar';
import { downloadedBinaries } from '../../lab/binaries/download';
import { type Lock, type LockedFile, lockedFile, readLock } from '../../lab/binaries/lock';
import { isAskedToDownload, obtainBinaries } from '../../lab/binaries/obtain';
import { digestIn, lockable, publishedFiles, raiseLock } from '../../lab/binaries/raise';
import { RECIPES } from '../../lab/binaries/recipes';
import { cachedPath, type Wanted, wantedOf } from '../../lab/binaries/wanted';

const PROGRAM = '#!/bin/sh\necho a program\n';
const never = new AbortController().signal;

let folder: string;
let cache: string;
let server: Server;
let base: string;
let asked: string[];
/** What the server does with each request, the last one for all that follow. */
let answers: RequestListener[];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'drowse-released-test-'));
  cache = path.join(folder, 'cache');
  asked = [];
  answers = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterEach(async () => {
  server.closeAllConnections();
  if (server.listening) await once(server.close(), 'close');
  rmSync(folder, { recursive: true });
});

const whole = (content: string | Buffer): RequestListener => {
  return (_, response) => response.end(content);
};
const status = (code: number): RequestListener => {
  return (_, response) => response.writeHead(code).end('no');
};
/** Half of what it promises; then the connection breaks. */
const half = (content: string): RequestListener => {
  return (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.slice(0, content.length / 2), () => response.destroy());
  };
};

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function fileOf(content: string | Buffer, programs: LockedFile['programs'] = { kubectl: null }): LockedFile {
  const source = 'https://example.com/kubectl.sha256';
  const url = `${base}/kubectl`;
  return {
    programs,
    version: '1.36.3',
    architecture: 'amd64',
    url,
    sha256: sha256(content),
    source,
    date: '2026-11-30',
  };
}

function download(file: LockedFile, signal = never, onDownload = () => undefined) {
  return downloadedBinaries(file, { signal, onDownload, cache, pauseMs: 0 });
}

/** All that lies in the cache. */
function kept(): string[] {
  return readdirSync(cache, { recursive: true }).map(String).sort();
}

async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const root = mkdtempSync(path.join(folder, 'archive-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), content, { mode: 0o600 });
  }
  const file = `${root}.tgz`;
  await tar.create({ file, cwd: root, gzip: true }, ['.']);
  return readFileSync(file);
}

describe('a published program', () => {
  it('is downloaded once, and can be run', async () => {
    answers = [whole(PROGRAM)];
    const { kubectl = '' } = await download(fileOf(PROGRAM));
    expect(readFileSync(kubectl, 'utf8')).toBe(PROGRAM);
    expect(statSync(kubectl).mode & 0o777).toBe(0o755);
    const onDownload = jest.fn();
    await expect(download(fileOf(PROGRAM), never, onDownload)).resolves.toEqual({ kubectl });
    expect(onDownload).not.toHaveBeenCalled();
    expect(asked).toEqual(['/kubectl']);
    expect(kept()).toEqual([
      'released',
      expect.stringMatching(/^released\/\w{16}$/) as unknown,
      path.relative(cache, kubectl),
    ]);
  });

  it('is found behind redirections', async () => {
    answers = [(_, response) => response.writeHead(302, { location: '/elsewhere' }).end(), whole(PROGRAM)];
    const { kubectl = '' } = await download(fileOf(PROGRAM));
    expect(readFileSync(kubectl, 'utf8')).toBe(PROGRAM);
    expect(asked).toEqual(['/kubectl', '/elsewhere']);
  });

  it('is not kept if its digest is another', async () => {
    answers = [whole('<html>Sign in</html>')];
    await expect(download(fileOf(PROGRAM))).rejects.toMatchObject({
      message: `${base}/kubectl is not the file that the lock names`,
      details: expect.stringContaining(sha256('<html>Sign in</html>')) as unknown,
    });
    expect(kept()).toEqual(['released']);
    expect(asked).toHaveLength(1);
  });

  it('is downloaded from its start again where the connection breaks', async () => {
    answers = [half(PROGRAM), status(503), whole(PROGRAM)];
    const { kubectl = '' } = await download(fileOf(PROGRAM));
    expect(readFileSync(kubectl, 'utf8')).toBe(PROGRAM);
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['breaks every time', () => half(PROGRAM), "can't be reached", 3],
    ['is busy', () => status(503), "can't be reached: it answers 503", 3],
    ['is missing', () => status(404), 'was answered with 404', 1],
    ['is forbidden', () => status(403), 'was answered with 403', 1],
  ])('leaves nothing if it %s', async (_, answer, message, requests) => {
    answers = [answer()];
    await expect(download(fileOf(PROGRAM))).rejects.toThrow(`${base}/kubectl ${message}`);
    expect(asked).toHaveLength(requests);
    expect(kept()).toEqual(['released']);
  });

  it('says so where there is no network', async () => {
    await once(server.close(), 'close');
    await expect(download(fileOf(PROGRAM))).rejects.toMatchObject({
      message: expect.stringMatching(/kubectl can't be reached: connect ECONNREFUSED/) as unknown,
      remedy: 'Without LAB_DOWNLOAD it is built, which needs Go and the Go module proxy.',
    });
  });

  it('leaves nothing behind when somebody presses Ctrl-C in the middle', async () => {
    const abort = new AbortController();
    answers = [
      (_, response) => {
        response.writeHead(200, { 'content-length': PROGRAM.length });
        response.write(PROGRAM.slice(0, 4), () => abort.abort(new Error('Interrupted by SIGINT')));
      },
    ];
    await expect(download(fileOf(PROGRAM), abort.signal)).rejects.toThrow('Interrupted by SIGINT');
    expect(kept()).toEqual(['released']);
  });

  it('is not taken from what a killed process left', async () => {
    answers = [whole(PROGRAM)];
    const { kubectl = '' } = await download(fileOf(PROGRAM));
    const place = path.dirname(kubectl);
    rmSync(place, { recursive: true });
    mkdirSync(`${place}.unfinished`);
    writeFileSync(path.join(`${place}.unfinished`, 'kubectl'), 'half');
    await download(fileOf(PROGRAM));
    expect(readFileSync(kubectl, 'utf8')).toBe(PROGRAM);
    expect(existsSync(`${place}.unfinished`)).toBe(false);
  });
});

describe('an archive of programs', () => {
  it('gives the programs that are named, and no other', async () => {
    const archive = await archiveOf({ 'bin/containerd': PROGRAM, 'bin/ctr': 'ctr', 'bin/containerd-stress': 'no' });
    answers = [whole(archive)];
    const paths = await download(fileOf(archive, { containerd: 'bin/containerd', ctr: 'bin/ctr' }));
    const { containerd = '', ctr = '' } = paths;
    expect(readFileSync(containerd, 'utf8')).toBe(PROGRAM);
    expect(readFileSync(ctr, 'utf8')).toBe('ctr');
    expect(statSync(ctr).mode & 0o777).toBe(0o755);
    expect(readdirSync(path.dirname(ctr)).sort()).toEqual(['containerd', 'ctr']);
    expect(asked).toHaveLength(1);
  });

  it('is downloaded again where another program of it is asked for', async () => {
    const archive = await archiveOf({ etcd: PROGRAM, etcdctl: 'ctl' });
    answers = [whole(archive)];
    await download(fileOf(archive, { etcd: 'etcd' }));
    const { etcdctl = '' } = await download(fileOf(archive, { etcd: 'etcd', etcdctl: 'etcdctl' }));
    expect(readFileSync(etcdctl, 'utf8')).toBe('ctl');
  });

  it('leaves nothing if it lacks one', async () => {
    const archive = await archiveOf({ crictl: PROGRAM });
    answers = [whole(archive)];
    await expect(download(fileOf(archive, { crictl: 'bin/crictl' }))).rejects.toMatchObject({
      message: `${base}/kubectl has no bin/crictl`,
      remedy: expect.stringContaining('lab/binaries/recipes.ts') as unknown,
    });
    expect(kept()).toEqual(['released']);
  });
});

describe('LAB_DOWNLOAD', () => {
  const lockOf = (...files: LockedFile[]): Lock => ({ about: '', files });
  const lockedHere = (file: LockedFile): LockedFile => ({
    ...file,
    architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
  });
  const told: string[] = [];
  const telling = { step: (text: string) => told.push(text), note: (text: string) => told.push(`! ${text}`) };
  beforeEach(() => told.splice(0));

  it.each([
    [undefined, false],
    ['', false],
    ['0', false],
    ['1', true],
    ['true', true],
  ])('as %s means %s', (LAB_DOWNLOAD, means) => expect(isAskedToDownload({ LAB_DOWNLOAD })).toBe(means));

  it('downloads what the lock has, and takes the rest from what was built', async () => {
    answers = [whole(PROGRAM)];
    const [kubectl, etcd] = [wantedOf('kubectl'), wantedOf('etcd')];
    const built = cachedPath(etcd, cache);
    mkdirSync(path.dirname(built), { recursive: true });
    writeFileSync(built, 'built');
    const lock = lockOf(lockedHere(fileOf(PROGRAM)));
    const paths = await obtainBinaries([etcd, kubectl], never, telling, { lock, cache });
    expect(paths.map((file) => readFileSync(file, 'utf8'))).toEqual(['built', PROGRAM]);
    expect(told).toEqual([`downloading kubectl 1.36.3 from ${new URL(base).host}`]);
  });

  it('says what it has to build', async () => {
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(obtainBinaries([wantedOf('etcd')], stopped, telling, { lock: lockOf(), cache })).rejects.toThrow(
      'enough',
    );
    expect(told).toEqual([
      `! LAB_DOWNLOAD: built all the same, as the lock has no digest of a release: etcd ${RECIPES.etcd.version}`,
      `building etcd ${RECIPES.etcd.version}`,
    ]);
  });

  it('builds nothing in the place of a download that failed', async () => {
    answers = [status(404)];
    const lock = lockOf(lockedHere(fileOf(PROGRAM)));
    await expect(obtainBinaries([wantedOf('kubectl')], never, telling, { lock, cache })).rejects.toThrow('404');
    expect(told).toHaveLength(1);
  });

  it('takes a file for the machine and the version alone', () => {
    const lock = lockOf(fileOf(PROGRAM));
    expect(lockedFile(lock, wantedOf('kubectl'), 'linux-x64')).toBe(lock.files[0]);
    for (const machine of ['linux-arm64', 'darwin-x64'])
      expect(lockedFile(lock, wantedOf('kubectl'), machine)).toBeUndefined();
    for (const other of ['kubelet', 'kubectl@1.35.4'])
      expect(lockedFile(lock, wantedOf(other), 'linux-x64')).toBeUndefined();
  });
});

describe('the lock', () => {
  const published = new Map(publishedFiles(lockable()).map((file) => [file.url, file]));

  it('has files as their makers publish them, encrypted on the way, each once', () => {
    const { files } = readLock();
    expect(new Set(files.map(({ url }) => url)).size).toBe(files.length);
    for (const { programs, version, architecture, url } of files) {
      expect(published.get(url)).toMatchObject({ programs, version, architecture });
      expect(url).toMatch(/^https:/);
    }
  });

  it('has no digest twice', () => {
    const digests = readLock().files.map((file) => file.sha256);
    expect(new Set(digests).size).toBe(digests.length);
  });
});

describe('a list of digests', () => {
  const digest = 'a'.repeat(64);

  it.each([
    ['a digest alone', digest],
    ['a digest alone, in a line', `${digest}\n`],
    ['sha256sum', `${'b'.repeat(64)}  other.tgz\n${digest}  file.tgz\n`],
    ['sha256sum of binary files', `${digest} *file.tgz\n`],
    ['a list with folders', `${digest}  ./dist/file.tgz\n`],
    ['a list in capitals', `${digest.toUpperCase()}  file.tgz\n`],
  ])('is read: %s', (_, list) => expect(digestIn(list, 'file.tgz')).toBe(digest));

  it.each([
    ['another file', `${digest}  file.tgz.asc`],
    ['another kind of digest', `${digest}${digest}  file.tgz`],
    ['a page', '<html>Not found</html>'],
  ])('says nothing of the file: %s', (_, list) => expect(digestIn(list, 'file.tgz')).toBeUndefined());
});

describe('raising the lock', () => {
  const digest = 'a'.repeat(64);
  const today = '2026-12-01';
  const wanted = (name = 'kubectl'): Wanted => ({
    ...wantedOf(name),
    recipe: {
      ...RECIPES.kubectl,
      published: (version, architecture) => {
        const url = `${base}/${version}/${architecture}/${name}`;
        return { url, digests: `${url}.sha256` };
      },
    },
  });
  const raise = (lock: Lock, ...programs: Wanted[]) => raiseLock(lock, programs, { signal: never, today });
  const empty: Lock = { about: 'x', files: [] };

  it('reads what their makers say, for each architecture', async () => {
    answers = [whole(digest), whole('b'.repeat(64))];
    const { lock, missing } = await raise(empty, wanted());
    expect(missing).toEqual([]);
    expect(lock.files).toMatchObject([
      {
        programs: { kubectl: null },
        architecture: 'amd64',
        sha256: digest,
        source: `${base}/1.36.3/amd64/kubectl.sha256`,
      },
      { architecture: 'arm64', sha256: 'b'.repeat(64), date: today },
    ]);
  });

  it('changes nothing that is right, names their makers where another was the source, and drops what is asked for no more', async () => {
    answers = [whole(digest)];
    const { lock } = await raise(empty, wanted());
    const old = lock.files.map((file) => ({ ...file, date: '2026-01-01' }));
    await expect(raise({ ...lock, files: old }, wanted())).resolves.toMatchObject({ lock: { files: old } });
    const others = old.map((file) => ({ ...file, source: 'https://example.com/list' }));
    await expect(raise({ ...lock, files: others }, wanted())).resolves.toMatchObject({ lock });
    await expect(raise({ ...lock, files: old }, wanted('kubelet'))).resolves.toMatchObject({
      lock: { files: [{ programs: { kubelet: null } }, { programs: { kubelet: null } }] },
    });
  });

  it('keeps what it has where there is no list, and names the file', async () => {
    answers = [whole(digest)];
    const { lock } = await raise(empty, wanted());
    answers = [status(404)];
    const urls = lock.files.map(({ url }) => url);
    await expect(raise(lock, wanted())).resolves.toEqual({ lock, missing: urls });
    await expect(raise(empty, wanted())).resolves.toEqual({ lock: empty, missing: urls });
  });

  it('stops at a digest that has changed', async () => {
    answers = [whole(digest)];
    const { lock } = await raise(empty, wanted());
    answers = [whole('c'.repeat(64))];
    await expect(raise(lock, wanted())).rejects.toMatchObject({
      message: `The digest of ${base}/1.36.3/amd64/kubectl has changed`,
      details: expect.stringContaining('c'.repeat(64)) as unknown,
    });
  });

  it('stops where a list cannot be reached', async () => {
    answers = [status(500)];
    await expect(raise(empty, wanted())).rejects.toMatchObject({
      remedy: 'Check the network, then run the command again. The lock was left as it was.',
    });
  });
});
