import type { InferenceSession } from 'onnxruntime-node';
import type { Layout } from '../contract';
import type { Size } from './pixels';

/** How pictures go in and out of a model. */
export interface ModelInterface {
  input: string;
  output: string;
  layout: Layout;
  /** Size of its input, if it takes just one. */
  fixed?: Size;
}

/** The model isn't a generator that we can drive. */
export class UnknownInterface extends Error {
  override readonly name = 'UnknownInterface';
}

/** The parts of a session that say how to use it. */
export type SessionMetadata = Pick<InferenceSession, 'inputMetadata' | 'outputMetadata'>;

/**
 * Reads from a model how pictures go in and out. The exports of AnimeGANv2 differ: TensorFlow's (Hayao, Shinkai,
 * Paprika) take `generator_input`, batch × height × width × 3; PyTorch's (face_paint) batch × 3 × height × width, often
 * of one size only.
 * @param wanted order of the dimensions for a model that doesn't tell
 * @throws UnknownInterface
 */
export function interfaceOf(session: SessionMetadata, wanted: Layout | 'auto'): ModelInterface {
  const [input, ...others] = session.inputMetadata;
  const [output] = session.outputMetadata;
  if (!input?.isTensor || !output?.isTensor) throw new UnknownInterface('it has no tensor to put a picture in');
  if (others.length > 0) throw new UnknownInterface(`it has ${String(others.length + 1)} inputs, not one`);
  for (const { name, type } of [input, output]) {
    if (type !== 'float32') throw new UnknownInterface(`${name} is ${type}, not float32`);
  }
  const shape = input.shape;
  if (shape.length !== 4) throw new UnknownInterface(`${input.name} has ${String(shape.length)} dimensions, not four`);
  const layout = layoutOf(shape, wanted) ?? layoutOf(output.shape, wanted);
  if (!layout) {
    throw new UnknownInterface(
      `its dimensions (${shape.join(' × ')}) do not tell where the colours are; set MODEL_LAYOUT`,
    );
  }
  const [height, width] = layout === 'nhwc' ? [shape[1], shape[2]] : [shape[2], shape[3]];
  const fixed = typeof height === 'number' && typeof width === 'number' ? { fixed: { width, height } } : {};
  return { input: input.name, output: output.name, layout, ...fixed };
}

function layoutOf(shape: readonly (number | string)[], wanted: Layout | 'auto'): Layout | undefined {
  if (wanted !== 'auto') return wanted;
  if (shape[3] === 3 && shape[1] !== 3) return 'nhwc';
  if (shape[1] === 3 && shape[3] !== 3) return 'nchw';
  return undefined;
}
