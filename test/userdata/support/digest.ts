import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { CloudState } from './cloud-state';
import type { Sandbox } from './sandbox';

/** What of an instance outlives a run of the scripts; scratch space in memory does not, but for the files named here. */
const TREES = ['etc', 'var', '.usr-local', 'test/volume'];
const MEMORY = [
  'run/drowse/facts.json',
  'run/drowse/snapshot-key',
  'run/drowse/kubelet-may-start',
  'run/kubelet-running',
];
const IGNORED = /^(etc\/(ssl|ld\.so\.cache)|var\/lib\/drowse\/state$)/;

/** Every file and link of a node with its content, and all that the cloud knows: what "the same state" means. */
export function stateOf(sandbox: Sandbox, cloud: CloudState, withMemory: boolean): Record<string, string> {
  const found: Record<string, string> = {};
  const add = (path: string): void => {
    const stat = lstatSync(join(sandbox.root, path), { throwIfNoEntry: false });
    if (stat === undefined || IGNORED.test(path)) return;
    if (stat.isDirectory()) {
      for (const name of readdirSync(join(sandbox.root, path))) add(`${path}/${name}`);
      found[`${path}/`] = (stat.mode & 0o7777).toString(8);
    } else {
      const content = stat.isSymbolicLink() ? readlinkSync(join(sandbox.root, path)) : sandbox.read(path);
      found[path] = `${(stat.mode & 0o777).toString(8)} ${timeless(content)}`;
    }
  };
  for (const tree of TREES) add(tree);
  if (withMemory) for (const path of MEMORY) add(path);
  const { volumes, interfaces, instances, parameters, objects } = cloud;
  found.cloud = timeless(JSON.stringify({ volumes, interfaces, instances, parameters }, null, 1));
  for (const [key, body] of Object.entries(objects)) {
    // A run that was refused tells so in a log.
    if (/^logs\/.*\.log$/.test(key)) continue;
    const content = key.endsWith('.gz') ? gunzipSync(body) : body;
    // Times and sums in the heads of archives.
    const text = content
      .toString('latin1')
      .replace(/\d{11}[ \0]/g, 'TIME')
      .replace(/\d{6}\0 /g, 'SUM');
    // An object of a killed run is as good as the same one of the next: what counts is that there is one.
    found[`s3 ${key.replace(/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ/, 'TIME')}`] = timeless(text);
  }
  return found;
}

function timeless(text: string): string {
  // Seconds of the epoch stand in metrics.
  return text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b\d{10}\b/g, 'TIME');
}
