import { writeFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { Layout } from '../../../apps/ghibli/contract';

/** The part of ONNX's format that a small generator needs; field numbers are those of onnx.proto. */
const { root } = protobuf.parse(`
  syntax = "proto2";
  message Model { optional int64 irVersion = 1; optional string producer = 2; optional Graph graph = 7; repeated Opset opset = 8; }
  message Opset { optional string domain = 1; optional int64 version = 2; }
  message Graph {
    repeated Node node = 1; optional string name = 2; repeated Tensor initializer = 5;
    repeated Value input = 11; repeated Value output = 12;
  }
  message Node {
    repeated string input = 1; repeated string output = 2; optional string name = 3; optional string opType = 4;
    repeated Attribute attribute = 5;
  }
  message Attribute {
    optional string name = 1; optional int64 i = 3; optional bytes s = 4; repeated int64 ints = 8; optional int32 type = 20;
  }
  message Tensor {
    repeated int64 dims = 1; optional int32 dataType = 2; repeated float floats = 4 [packed = true];
    repeated int64 int64s = 7 [packed = true]; optional string name = 8;
  }
  message Value { optional string name = 1; optional Type type = 2; }
  message Type { optional TensorType tensor = 1; }
  message TensorType { optional int32 elemType = 1; optional Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { optional int64 value = 1; optional string param = 2; }
`);

const FLOAT32 = 1;
const INT64 = 7;
const DOUBLE = 11;

/** What kind of model to make. */
export interface GeneratorOptions {
  layout: Layout;
  /** Height and width that it takes; by default any. */
  size?: [number, number];
  /** Tensors of doubles, which AnimeGANv2's exports never are. */
  doubles?: boolean;
  /** All four dimensions unknown, as in a careless export. */
  nameless?: boolean;
}

/**
 * Writes an ONNX generator with AnimeGANv2's interface: one picture of -1 … 1 in, one of the same size out. It blurs,
 * deepens the colours and reduces them to a few steps, so that one sees that something was painted.
 */
export function writeGenerator(file: string, options: GeneratorOptions): void {
  const model = root.lookupType('Model');
  writeFileSync(file, model.encode(model.fromObject(describe(options))).finish());
}

function describe({ layout, size, doubles, nameless }: GeneratorOptions) {
  const [height, width] = size ?? ['height', 'width'];
  const sizes = layout === 'nhwc' ? ['batch', height, width, 3] : ['batch', 3, height, width];
  const shape = { dim: (nameless ? ['a', 'b', 'c', 'd'] : sizes).map(dimension) };
  const type = { tensor: { elemType: doubles ? DOUBLE : FLOAT32, shape } };
  const value = (name: string) => ({ name, type });
  if (doubles) {
    return modelOf({
      node: [node('Tanh', ['picture'], 'painting')],
      input: [value('picture')],
      output: [value('painting')],
    });
  }
  const [first, last] = layout === 'nhwc' ? ['planes', 'painted'] : ['picture', 'painting'];
  const core = [
    node('Pad', [first, 'pads'], 'padded', [text('mode', 'reflect')]),
    node('Conv', ['padded', 'blur'], 'blurred', [integers('kernel_shape', [9, 9]), integer('group', 3)]),
    node('Conv', ['blurred', 'colours'], 'coloured', [integers('kernel_shape', [1, 1])]),
    node('Tanh', ['coloured'], 'bounded'),
    node('Mul', ['bounded', 'steps'], 'scaled'),
    node('Round', ['scaled'], 'stepped'),
    node('Div', ['stepped', 'steps'], last),
  ];
  const turned = [
    node('Transpose', ['picture'], 'planes', [integers('perm', [0, 3, 1, 2])]),
    ...core,
    node('Transpose', ['painted'], 'painting', [integers('perm', [0, 2, 3, 1])]),
  ];
  return modelOf({
    node: layout === 'nhwc' ? turned : core,
    initializer: [
      { name: 'pads', dataType: INT64, dims: [8], int64s: [0, 0, 4, 4, 0, 0, 4, 4] },
      { name: 'blur', dataType: FLOAT32, dims: [3, 1, 9, 9], floats: Array.from({ length: 243 }, () => 1 / 81) },
      {
        name: 'colours',
        dataType: FLOAT32,
        dims: [3, 3, 1, 1],
        floats: [1.5, -0.1, -0.1, -0.1, 1.5, -0.1, -0.1, -0.1, 1.5],
      },
      { name: 'steps', dataType: FLOAT32, dims: [1], floats: [7] },
    ],
    input: [value('picture')],
    output: [value('painting')],
  });
}

function modelOf(graph: object) {
  return {
    irVersion: 8,
    producer: 'drowse',
    opset: [{ domain: '', version: 17 }],
    graph: { name: 'generator', ...graph },
  };
}

function node(opType: string, input: (string | undefined)[], output: string | undefined, attribute: object[] = []) {
  return { name: `${opType}_${String(output)}`, opType, input, output: [output], attribute };
}

function dimension(size: number | string | undefined) {
  return typeof size === 'number' ? { value: size } : { param: size };
}

function integer(name: string, i: number) {
  return { name, i, type: 2 };
}

function text(name: string, value: string) {
  return { name, s: Buffer.from(value), type: 3 };
}

function integers(name: string, ints: number[]) {
  return { name, ints, type: 7 };
}
