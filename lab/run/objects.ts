import type { Kubernetes } from './kubernetes';

const NAMESPACE = 'lab-life';
const MANIFEST = `
apiVersion: v1
kind: Namespace
metadata: { name: ${NAMESPACE} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: notes, namespace: ${NAMESPACE} }
data: { written: before the sleep }
---
apiVersion: v1
kind: Secret
metadata: { name: key, namespace: ${NAMESPACE} }
stringData: { word: nightingale }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader, namespace: ${NAMESPACE} }
`;
const KINDS = ['configmap/notes', 'secret/key', 'serviceaccount/reader'];

interface Stored {
  metadata: { name: string; uid: string };
  data?: Record<string, string>;
}

/** Objects that a sleep must not lose. */
export class Objects {
  private written = '';

  constructor(private readonly cluster: Kubernetes) {}

  async write(): Promise<void> {
    await this.cluster.kubectl(['apply', '--filename', '-'], MANIFEST);
    this.written = await this.read();
  }

  /** What of them is not as it was written; undefined if all is. */
  async lost(): Promise<string | undefined> {
    const now = await this.read();
    return now === this.written ? undefined : `written ${this.written}, found ${now}`;
  }

  private async read(): Promise<string> {
    const items = await this.cluster.list<Stored>(['--namespace', NAMESPACE, ...KINDS]);
    return JSON.stringify(items.map(({ metadata: { name, uid }, data }) => [name, uid, data]));
  }
}
