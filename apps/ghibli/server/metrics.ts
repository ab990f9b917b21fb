import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Jobs } from './jobs';
import type { Painter } from './painter';

/** Steps of a photo's way whose durations are recorded. */
export const STEPS = ['receive', 'read', 'wait', 'inference', 'write'] as const;
/** Name of a step. */
export type Step = (typeof STEPS)[number];

/** The server's figures for Prometheus. */
export interface Metrics {
  registry: Registry;
  /** A request to transform a photo has ended with this status. */
  ended(status: number): void;
  took(step: Step, ms: number): void;
}

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes the figures; a registry of their own, so that two servers can live in one process. */
export function makeMetrics(jobs: Jobs, painter: Painter): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'ghibli_requests_total',
    help: 'Requests to transform a photo, by status of the answer (499: the client had gone)',
    labelNames: ['status'],
    registers,
  });
  const steps = new Histogram({
    name: 'ghibli_step_seconds',
    help: 'Seconds of each step of a photo’s way',
    labelNames: ['step'],
    buckets: SECONDS,
    registers,
  });
  const inference = new Histogram({
    name: 'ghibli_inference_seconds',
    help: 'Seconds that the model took for a photo',
    buckets: SECONDS,
    registers,
  });
  new Gauge({
    name: 'ghibli_queue_depth',
    help: 'Photos that wait for the painter',
    registers,
    collect() {
      this.set(jobs.waiting);
    },
  });
  new Gauge({
    name: 'ghibli_photos',
    help: 'Photos in the server, uploads and the one being painted included',
    registers,
    collect() {
      this.set(jobs.size);
    },
  });
  new Gauge({
    name: 'ghibli_device_info',
    help: '1 for the device that the model is loaded on; no value while it is not',
    labelNames: ['device', 'layout'],
    registers,
    collect() {
      this.reset();
      const { status } = painter;
      if (status.ready) this.set({ device: status.device, layout: status.layout }, 1);
    },
  });
  return {
    registry,
    ended: (status) => requests.inc({ status: String(status) }),
    took: (step, ms) => {
      steps.observe({ step }, ms / 1000);
      if (step === 'inference') inference.observe(ms / 1000);
    },
  };
}
