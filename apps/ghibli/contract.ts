/** What the server's endpoints answer, for the server and the page alike. */

/** The body of every answer that is not a picture and not a success. */
export interface Problem {
  /** Name of the condition, for programs. */
  error: string;
  /** What happened, for people. */
  message: string;
  /** What to do about it. */
  remedy: string;
}

/** Where a photo is on its way; `GET /api/progress/<id>`. */
export type Progress =
  | { stage: 'receiving' | 'reading' | 'finishing' }
  | {
      stage: 'waiting';
      /** Photos that are painted before this one. */
      ahead: number;
      /** Milliseconds until it is this one's turn, as far as the last paintings tell. */
      expectedMs: number;
    }
  | {
      stage: 'painting';
      /** Milliseconds since it began. */
      sinceMs: number;
      /** Milliseconds that it takes in all, as far as the last paintings tell. */
      expectedMs: number;
    };

/** `GET /readyz` when the painter can work. */
export interface Ready {
  ready: true;
  device: Device;
  layout: Layout;
}

/** Where inference runs. */
export type Device = 'cpu' | 'cuda';

/** Order of a model's dimensions: batch, height, width, channels or batch, channels, height, width. */
export type Layout = 'nhwc' | 'nchw';

/** Header by which a client names its upload, so that it can ask for the progress. */
export const JOB_HEADER = 'x-job-id';

/** Header of a remark that comes with the picture. */
export const NOTICE_HEADER = 'x-notice';
