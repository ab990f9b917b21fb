import type { Device, Layout } from '../contract';
import type { Pixels, Size } from './pixels';

/** What the painting thread is started with. */
export interface WorkerSettings {
  modelPath: string;
  device: Device;
  layout: Layout | 'auto';
  step: number;
  /** Sizes to paint once before it calls itself ready. */
  warmUp: Size[];
}

/** To the painting thread: paint this. */
export interface PaintRequest {
  id: number;
  picture: Pixels;
}

/** From the painting thread. */
export type WorkerMessage =
  | { kind: 'ready'; layout: Layout; fixed?: Size }
  | { kind: 'unusable'; message: string; remedy: string }
  | { kind: 'painted'; id: number; picture: Pixels; inferenceMs: number }
  | { kind: 'failed'; id: number; message: string };
