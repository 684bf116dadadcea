import type { LayersModel } from '@tensorflow/tfjs-layers';
import * as layers from '@tensorflow/tfjs-layers';
import { createRng } from '../../../shared/rng.ts';
import { TrainerError } from '../trainer-error.ts';
import { type LayersArchitecture, parseArchitecture } from './architecture.ts';
import { runOnBackend, selectBackend } from './backend.ts';

/** One tensor of a model, in the order of the manifest. */
export interface TensorDescription {
  /** `layer/weight`, such as `hidden/kernel`. */
  readonly name: string;
  /** Sizes of its axes. */
  readonly shape: readonly number[];
}

/**
 * Builds a model on the backend in use; its weights are arbitrary until set.
 *
 * @param architecture - layers JSON
 * @throws TrainerError `trainer/bad-architecture`
 */
export async function buildModel(architecture: LayersArchitecture): Promise<LayersModel> {
  parseArchitecture(architecture);
  try {
    // The parser rewrites what it is given.
    const topology = structuredClone(architecture) as Parameters<typeof layers.models.modelFromJSON>[0];
    const model = await layers.models.modelFromJSON(topology);
    // A sequential model whose first layer states no input shape is built without inputs.
    if (model.inputs?.length === 1 && model.outputs?.length === 1) return model;
    model.dispose();
    throw new Error('it must have one input, of a stated shape, and one output');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TrainerError('trainer/bad-architecture', `the architecture cannot be built: ${why}`, {}, cause);
  }
}

/** Names and shapes of a built model's tensors. */
export function tensorsOf(model: LayersModel): TensorDescription[] {
  return model.weights.map((weight) => ({ name: weight.originalName, shape: weight.shape.map((size) => size ?? 0) }));
}

/**
 * Lists the tensors of an architecture in the order in which `Trainer` takes and gives them.
 *
 * @param architecture - layers JSON
 * @throws TrainerError `trainer/bad-architecture`, `trainer/backend-unavailable`
 */
export async function describeTensors(architecture: LayersArchitecture): Promise<TensorDescription[]> {
  // Names and shapes are the same on every backend, and this one starts fastest.
  return runOnBackend(await selectBackend('cpu'), async () => {
    const model = await buildModel(architecture);
    try {
      return tensorsOf(model);
    } finally {
      model.dispose();
    }
  });
}

/**
 * Draws the weights that a job starts from. Tensors of two or more axes follow Glorot and Bengio's uniform law ("Understanding
 * the difficulty of training deep feedforward neural networks", AISTATS 2010): uniform in +-sqrt(6 / (fanIn + fanOut)),
 * fans being the last two axes times the product of those before. `gamma` is one, every other vector zero. The
 * initializers named in the architecture are not consulted; only `+ - * /` and the square root are used, so that every
 * machine draws the same bits.
 *
 * @param architecture - layers JSON
 * @param seed - unsigned 32-bit integer
 * @returns one array per tensor, in the order of `describeTensors`
 * @throws TrainerError `trainer/bad-architecture`, `trainer/backend-unavailable`
 */
export async function initialWeights(architecture: LayersArchitecture, seed: number): Promise<Float32Array[]> {
  return (await describeTensors(architecture)).map(({ name, shape }) => drawTensor(name, shape, seed));
}

function drawTensor(name: string, shape: readonly number[], seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (shape.length < 2) return name.endsWith('/gamma') ? values.fill(1) : values;
  const field = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  const fans = ((shape.at(-2) ?? 1) + (shape.at(-1) ?? 1)) * field;
  const limit = Math.sqrt(6 / fans);
  const rng = createRng(seed, `initial-weights/${name}`);
  return values.map(() => (2 * rng.nextFloat() - 1) * limit);
}
