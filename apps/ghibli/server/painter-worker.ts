import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { interfaceOf, UnknownInterface, type ModelInterface } from './model-interface';
import { canvasOf, fromTensor, toTensor, type Pixels, type Size } from './pixels';
import type { PaintRequest, WorkerMessage, WorkerSettings } from './worker-protocol';

/*
 * The painting thread. onnxruntime-node's `run` returns a promise but works inside the call (microsoft/onnxruntime#19611),
 * so it would hold up every request; and turning pixels into tensors costs milliseconds, too.
 */

const settings = workerData as WorkerSettings;

function send(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

async function main(): Promise<void> {
  const opened = await open();
  if (!opened) return;
  const { session, model } = opened;
  parentPort?.on('message', ({ id, picture }: PaintRequest) => {
    paint(session, model, picture).then(
      (painted) => send({ kind: 'painted', id, ...painted }, [painted.picture.data.buffer]),
      (error: unknown) => send({ kind: 'failed', id, message: messageOf(error) }),
    );
  });
  send({ kind: 'ready', layout: model.layout, ...(model.fixed && { fixed: model.fixed }) });
}

async function open(): Promise<{ session: InferenceSession; model: ModelInterface } | undefined> {
  const { modelPath, device, layout, warmUp } = settings;
  try {
    // Only the wanted device is named, so that a missing GPU is an error and not a slow surprise.
    const session = await InferenceSession.create(modelPath, { executionProviders: [device], logSeverityLevel: 3 });
    const model = interfaceOf(session, layout);
    for (const size of model.fixed ? [model.fixed] : warmUp) await paint(session, model, blank(size));
    return { session, model };
  } catch (error) {
    send({ kind: 'unusable', ...explain(error) });
    return undefined;
  }
}

async function paint(
  session: InferenceSession,
  model: ModelInterface,
  picture: Pixels,
): Promise<{ picture: Pixels; inferenceMs: number }> {
  const canvas = canvasOf(picture, settings.step, model.fixed);
  const dimensions =
    model.layout === 'nhwc' ? [1, canvas.height, canvas.width, 3] : [1, 3, canvas.height, canvas.width];
  const input = new Tensor('float32', toTensor(picture, canvas, model.layout), dimensions);
  const startedAt = performance.now();
  const output = (await session.run({ [model.input]: input }, [model.output]))[model.output];
  const inferenceMs = performance.now() - startedAt;
  if (output?.dims.join() !== dimensions.join()) {
    throw new UnknownInterface(`it answers ${String(output?.dims.join(' × '))}, not ${dimensions.join(' × ')}`);
  }
  const painted = fromTensor(output.data as Float32Array, canvas, model.layout, picture);
  input.dispose();
  output.dispose();
  return { picture: painted, inferenceMs };
}

function blank({ width, height }: Size): Pixels {
  return { data: new Uint8Array(width * height * 3).fill(128), width, height, channels: 3 };
}

function explain(error: unknown): { message: string; remedy: string } {
  const { modelPath, device } = settings;
  const message = messageOf(error);
  if (error instanceof UnknownInterface) {
    return {
      message: `The model ${modelPath} cannot be used: ${message}.`,
      remedy: 'Build the image with an AnimeGANv2 generator: one float32 picture in, one of the same size out.',
    };
  }
  if (device === 'cuda' && /provider|cuda|cudnn/i.test(message)) {
    return {
      message: `The GPU cannot be used: ${message}.`,
      remedy:
        'Check that the pod has a GPU and runtimeClassName nvidia, and that the image carries CUDA 12 and cuDNN 9.',
    };
  }
  return {
    message: `The model ${modelPath} cannot be loaded: ${message}.`,
    remedy: 'Build the image again with MODEL_URL and MODEL_SHA256 of an ONNX file.',
  };
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}

void main();
