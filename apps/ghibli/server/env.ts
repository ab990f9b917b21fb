import * as z from 'zod';

const integer = (min: number, max: number, fallback: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

/** A digest as sha256sum prints it; empty counts as not given, because that is how an unset build argument arrives. */
const digest = z
  .union([z.literal('').transform(() => undefined), z.string().regex(/^[0-9a-f]{64}$/, 'use 64 hexadecimal digits')])
  .optional();

/** What the server reads from its environment. */
export const envSchema = z.object({
  /** Address to listen on. */
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: integer(0, 65_535, 5000),
  /** Where the model must run. The server is not ready on any other device than this one. */
  DEVICE: z.enum(['cpu', 'cuda']).default('cpu'),
  MODEL_PATH: z.string().min(1).default('models/generator.onnx'),
  /** SHA-256 that the model file must have. */
  MODEL_SHA256: digest,
  /** Order of the model's dimensions, for a model whose input doesn't tell. */
  MODEL_LAYOUT: z.enum(['auto', 'nhwc', 'nchw']).default('auto'),
  /**
   * Longest side of a painting, in pixels: the bound of GPU memory and of time. AnimeGANv2 was trained on 256-pixel
   * crops, and beyond about a thousand pixels its strokes get too fine to be seen as painted.
   */
  MAX_SIDE: integer(64, 4096, 1024),
  /**
   * Sides of what the model sees are padded to multiples of this (32 is what AnimeGANv2 needs). CUDA looks for the
   * fastest convolutions anew for each new size, so fewer sizes mean fewer slow first paintings.
   */
  SIZE_STEP: integer(32, 512, 64).refine((step) => step % 32 === 0, 'use a multiple of 32'),
  /** Photos in the server at once, the one under the brush included; more are turned away. */
  QUEUE_LIMIT: integer(1, 1000, 9),
  /** Uploads being received at once; each may hold 10 MB of memory. */
  UPLOAD_LIMIT: integer(1, 1000, 16),
  /** Photos of one client (address or cookie) in the server at once, uploads included: one loop must not fill the queue for all. */
  CLIENT_LIMIT: integer(1, 1000, 3),
  /**
   * Proxies in front that each add the address of whom they serve to `X-Forwarded-For`. What is further left in that header a
   * client may write itself. None: the address of the connection counts.
   */
  TRUSTED_PROXIES: integer(0, 10, 0),
  /** After this long a painting counts as stuck, and the process as ill (a GPU that fell off its bus never answers). */
  STUCK_SECONDS: integer(1, 3600, 60),
  /** How long a shutdown waits for photos that are in the server; keep it below the pod's grace period. */
  SHUTDOWN_SECONDS: integer(1, 3600, 100),
  LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
});

/** The server's settings. */
export type Env = z.infer<typeof envSchema>;

/** A variable of the environment has a value that it may not have. */
export class InvalidEnvironment extends Error {
  override readonly name = 'InvalidEnvironment';
}

/**
 * Reads the settings.
 * @throws InvalidEnvironment naming each variable, and what it may be
 */
export function readEnv(environment: NodeJS.ProcessEnv): Env {
  const result = envSchema.safeParse(environment);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return `  ${name}=${environment[name] ?? ''}: ${issue.message}`;
  });
  throw new InvalidEnvironment(`The environment is not valid:\n${lines.join('\n')}`);
}
