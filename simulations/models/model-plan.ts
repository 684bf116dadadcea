import { LearnerError } from './learner-error.ts';
import type { LayerSpec } from './model-spec.ts';

/** Values of all examples of a batch that stand between two layers; buffer 0 are the inputs. */
type BufferIndex = number;

/** Every input with every unit. Weights are `[inputs, outputs]`. */
export interface DensePlan {
  /** Which layer it is. */
  readonly kind: 'dense';
  /** Values in. */
  readonly inputs: number;
  /** Values out. */
  readonly outputs: number;
  /** Position of the weights among the parameters. */
  readonly weights: number;
  /** Position of the biases. */
  readonly biases: number;
  /** What it reads. */
  readonly from: BufferIndex;
  /** What it writes. */
  readonly to: BufferIndex;
}

/** Windows in steps of one, without a border. Weights are `[size, size, channels, filters]`. */
export interface ConvolutionPlan extends Omit<DensePlan, 'kind' | 'inputs' | 'outputs'> {
  /** Which layer it is. */
  readonly kind: 'convolution';
  /** Rows of an image. */
  readonly height: number;
  /** Columns of an image. */
  readonly width: number;
  /** Values of a pixel. */
  readonly channels: number;
  /** Rows and columns of a window. */
  readonly size: number;
  /** Values of a pixel that comes out. */
  readonly filters: number;
}

/** What is done in place. */
export interface InPlacePlan {
  /** Which layer it is. */
  readonly kind: 'rectifier' | 'dropout';
  /** Values of an example. */
  readonly values: number;
  /** What it changes. */
  readonly to: BufferIndex;
  /** Chance of being left out; 0 for a rectifier. */
  readonly rate: number;
}

/** The largest of every 2 x 2 square. */
export interface PoolPlan {
  /** Which layer it is. */
  readonly kind: 'pool';
  /** Rows of an image. */
  readonly height: number;
  /** Columns of an image. */
  readonly width: number;
  /** Values of a pixel. */
  readonly channels: number;
  /** What it reads. */
  readonly from: BufferIndex;
  /** What it writes. */
  readonly to: BufferIndex;
}

/** One layer with everything decided. */
export type LayerPlan = DensePlan | ConvolutionPlan | InPlacePlan | PoolPlan;

/** A tensor among the parameters. */
export interface TensorPlan {
  /** Its name, such as `dense_1/kernel`. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Inputs of one output: the start values are drawn from ±1 / sqrt of it. */
  readonly fanIn: number;
}

/** A model with everything decided: plain data, so that threads can be told. */
export interface ModelPlan {
  /** Layers in order. */
  readonly layers: readonly LayerPlan[];
  /** Values of one example in each buffer. */
  readonly buffers: readonly number[];
  /** Tensors in order. */
  readonly tensors: readonly TensorPlan[];
  /** Values of all tensors. */
  readonly parameters: number;
  /** Classes. */
  readonly classes: number;
}

const MOST_PARAMETERS = 2 ** 27;
/** Values of one example in one buffer, at most. */
const MOST_VALUES = 2 ** 24;

/**
 * Fits layers to the shape of an example.
 *
 * @param specs - without the last layer
 * @param shape - of an example
 * @throws LearnerError `learner/bad-option` if a layer does not fit what comes before it; `learner/too-large`
 */
export function planModel(specs: readonly LayerSpec[], shape: readonly number[], classes: number): ModelPlan {
  const layers: LayerPlan[] = [];
  const tensors: TensorPlan[] = [];
  let image = shape;
  const buffers = [sizeOf(shape)];
  let parameters = 0;
  const add = (name: string, weightShape: readonly number[], outputs: number) => {
    const fanIn = sizeOf(weightShape) / outputs;
    const place = { weights: parameters, biases: parameters + sizeOf(weightShape) };
    tensors.push(
      { name: `${name}/kernel`, shape: weightShape, fanIn },
      { name: `${name}/bias`, shape: [outputs], fanIn },
    );
    parameters = place.biases + outputs;
    return place;
  };
  for (const [at, spec] of [...specs, { kind: 'dense', units: classes } as const].entries()) {
    const from = buffers.length - 1;
    const to = from + 1;
    const values = buffers[from] as number;
    const [height = 0, width = 0, channels = 0] = image;
    const count = layers.filter(({ kind }) => kind === spec.kind).length + 1;
    if (spec.kind === 'convolution' || spec.kind === 'pool') requireImage(spec, image, at);
    switch (spec.kind) {
      case 'dense': {
        const place = add(`dense_${count}`, [values, spec.units], spec.units);
        layers.push({ kind: 'dense', inputs: values, outputs: spec.units, ...place, from, to });
        image = [spec.units];
        break;
      }
      case 'convolution': {
        const { size, filters } = spec;
        const place = add(`convolution_${count}`, [size, size, channels, filters], filters);
        layers.push({ kind: 'convolution', height, width, channels, size, filters, ...place, from, to });
        image = [height - size + 1, width - size + 1, filters];
        break;
      }
      case 'pool':
        layers.push({ kind: 'pool', height, width, channels, from, to });
        image = [Math.floor(height / 2), Math.floor(width / 2), channels];
        break;
      default:
        if (from === 0) throw misfit(at, `a ${spec.kind} must follow a layer that has values of its own`);
        layers.push({ kind: spec.kind, values, to: from, rate: spec.kind === 'dropout' ? spec.rate : 0 });
        continue;
    }
    buffers.push(sizeOf(image));
  }
  if (parameters > MOST_PARAMETERS || buffers.some((values) => values > MOST_VALUES)) {
    const sentence = `the model has ${parameters} parameters and up to ${Math.max(...buffers)} values between layers: at most ${MOST_PARAMETERS} and ${MOST_VALUES} can be trained; make its layers smaller`;
    throw new LearnerError('learner/too-large', sentence, { parameters });
  }
  return { layers, buffers, tensors, parameters, classes };
}

function requireImage(spec: LayerSpec, image: readonly number[], at: number): void {
  const [height = 0, width = 0] = image;
  const least = spec.kind === 'convolution' ? spec.size : 2;
  if (image.length !== 3) {
    throw misfit(at, `a ${spec.kind} needs an image [height, width, channels], and what comes to it is [${image}]`);
  }
  if (height < least || width < least) {
    throw misfit(at, `a ${spec.kind} of ${least} x ${least} does not fit the image [${image}] that comes to it`);
  }
}

function misfit(at: number, why: string): LearnerError {
  return new LearnerError('learner/bad-option', `model, layer ${at + 1}: ${why}`, { field: 'model.layers', layer: at });
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
