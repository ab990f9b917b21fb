import { Worker } from 'node:worker_threads';
import type { Device, Layout } from '../contract';
import type { Env } from './env';
import { flawOf, type Flaw } from './model-file';
import type { Pixels, Size } from './pixels';
import { NotReady, PaintingFailed } from './problems';
import type { PaintRequest, WorkerMessage, WorkerSettings } from './worker-protocol';

/** Whether the painter can work, and how. */
export type Status = { ready: true; device: Device; layout: Layout; fixed?: Size } | ({ ready: false } & Flaw);

/** A painting, and how long the model itself took, in milliseconds. */
export interface Painting {
  picture: Pixels;
  inferenceMs: number;
}

/** What the painter needs from the settings. */
export type PainterEnv = Pick<
  Env,
  'DEVICE' | 'MODEL_PATH' | 'MODEL_SHA256' | 'MODEL_LAYOUT' | 'MAX_SIDE' | 'SIZE_STEP' | 'STUCK_SECONDS'
>;

/** A CUDA context that has failed once often fails for ever: after this many in a row, only a new process helps. */
const FAILURES_IN_A_ROW = 3;

/** Runs the model in a thread of its own, one picture at a time. */
export class Painter {
  private state: Status = { ready: false, message: 'The model is being loaded.', remedy: 'It takes a few seconds.' };
  private worker: Worker | undefined;
  private current: { id: number; since: number; done: (painting: Painting | Error) => void } | undefined;
  private lastId = 0;
  private failures = 0;
  private ended: string | undefined;

  /** @param workerFile the painting thread's code */
  constructor(
    private readonly env: PainterEnv,
    private readonly workerFile: string,
  ) {}

  /** Loads the model and warms it up; `status` tells how that ended. */
  async load(): Promise<void> {
    const { env } = this;
    const flaw = await flawOf(env.MODEL_PATH, env.MODEL_SHA256);
    if (flaw) {
      this.state = { ready: false, ...flaw };
      return;
    }
    const workerData: WorkerSettings = {
      modelPath: env.MODEL_PATH,
      device: env.DEVICE,
      layout: env.MODEL_LAYOUT,
      step: env.SIZE_STEP,
      warmUp: warmUpSizes(env),
    };
    const worker = new Worker(this.workerFile, { workerData });
    this.worker = worker;
    await new Promise<void>((resolve) => {
      worker.on('message', (message: WorkerMessage) => {
        this.receive(message);
        resolve();
      });
      worker.once('error', (error: Error) => (this.ended = `The painter has failed: ${error.message}`));
      worker.once('exit', () => {
        this.ended ??= 'The painter has ended.';
        if (this.state.ready) this.state = { ready: false, message: this.ended, remedy: 'It is being restarted.' };
        this.current?.done(new Error(this.ended));
        resolve();
      });
    });
  }

  get status(): Status {
    return this.state;
  }

  /**
   * Paints one picture. The caller sees to it that there is only one at a time. The picture's memory is handed over.
   * @throws NotReady, PaintingFailed
   */
  async paint(picture: Pixels): Promise<Painting> {
    const { worker } = this;
    if (!this.state.ready || !worker) throw notReady(this.state);
    const id = ++this.lastId;
    const result = await new Promise<Painting | Error>((done) => {
      this.current = { id, since: performance.now(), done };
      const request: PaintRequest = { id, picture };
      worker.postMessage(request, [picture.data.buffer]);
    });
    this.current = undefined;
    if (result instanceof Error) {
      this.failures += 1;
      throw new PaintingFailed(result);
    }
    this.failures = 0;
    return result;
  }

  /** Why only a new process helps; undefined if all is well. */
  get fault(): string | undefined {
    if (this.worker && this.ended !== undefined && !this.state.ready) return this.ended;
    if (this.failures >= FAILURES_IN_A_ROW) return `The last ${String(this.failures)} paintings have failed.`;
    const seconds = this.current ? (performance.now() - this.current.since) / 1000 : 0;
    if (seconds > this.env.STUCK_SECONDS) return `A painting has not ended for ${seconds.toFixed(0)} seconds.`;
    return undefined;
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private receive(message: WorkerMessage): void {
    switch (message.kind) {
      case 'ready':
        this.state = {
          ready: true,
          device: this.env.DEVICE,
          layout: message.layout,
          ...(message.fixed && { fixed: message.fixed }),
        };
        break;
      case 'unusable':
        this.state = { ready: false, message: message.message, remedy: message.remedy };
        void this.close();
        break;
      case 'painted':
        if (this.current?.id === message.id) this.current.done(message);
        break;
      case 'failed':
        if (this.current?.id === message.id) this.current.done(new Error(message.message));
        break;
    }
  }
}

/** What a request is told while the painter can't work: the words of `/readyz`. */
export function notReady(status: Status): NotReady {
  return status.ready
    ? new NotReady('The painter has just stopped.', 'It is being restarted.')
    : new NotReady(status.message, status.remedy);
}

/** On a GPU the sizes that phones give (4:3, both ways), since each new size costs a search; on a CPU any will do. */
function warmUpSizes({ DEVICE, MAX_SIDE }: PainterEnv): Size[] {
  const short = Math.round(MAX_SIDE * 0.75);
  return DEVICE === 'cuda'
    ? [
        { width: MAX_SIDE, height: short },
        { width: short, height: MAX_SIDE },
      ]
    : [{ width: 64, height: 64 }];
}
