import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseNodeData, type NodeDataInput } from './node-data';

/** EC2's limit for user data, in bytes before base64. Ours is about 2 KB; only very many labels come near it. */
const MAX_BYTES = 16 * 1024;

/** Which node bundle an instance runs; it lies in the cluster's bucket as `node/<sha256>.tar.gz`. */
export interface BundleReference {
  /** Digest that the node checks before it unpacks anything. */
  readonly sha256: string;
}

/** Thrown where labels and taints blow user data up past EC2's limit. */
export class UserDataTooLarge extends Error {
  override readonly name = 'UserDataTooLarge';
}

/**
 * User data of an instance: a small script (a real file, `userdata/user-data.sh`) with two lines of data in it. It fetches
 * the node bundle from the bucket, checks its digest, unpacks it and starts it. Values reach it as one JSON document
 * and one word in heredocs that expand nothing, so that no value can become code.
 */
export function renderUserData(nodeData: NodeDataInput, bundle: BundleReference): string {
  const json = JSON.stringify(parseNodeData(nodeData));
  const script = stripComments(readFileSync(join(__dirname, '..', '..', 'userdata', 'user-data.sh'), 'utf8'));
  const text = script.replace('@NODE_DATA@', () => json).replace('@BUNDLE@', () => bundle.sha256);
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new UserDataTooLarge(
      `user data is ${Buffer.byteLength(text)} bytes, EC2 takes ${MAX_BYTES}: use fewer labels and taints`,
    );
  }
  return text;
}

/** Comments and indents are for people; instances do without, and so the script stays at about 2 KB. */
function stripComments(script: string): string {
  const [shebang = '', ...lines] = script.split('\n');
  return (
    [shebang, ...lines.map((line) => line.trimStart()).filter((line) => line !== '' && !line.startsWith('#'))].join(
      '\n',
    ) + '\n'
  );
}
