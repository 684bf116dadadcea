import type { z } from 'zod';
import { FedanchorError } from '../../shared/errors.ts';
import { ALPHABET_SIZE } from '../data/alphabet.ts';
import { classificationDataSchema } from '../data/classification-data.ts';
import { publishedSourceSchema } from '../public-data/published-source.ts';
import { nextCharacterDataSchema } from '../tasks/next-character.ts';
import { parseArchitecture } from '../trainers/tfjs/architecture.ts';
import { describeTensors, type TensorDescription } from '../trainers/tfjs/layers-model.ts';
import { parseTrainingSettings, type TrainingRecipe } from '../trainers/tfjs/training-settings.ts';

/** A task as a manifest has it. */
export interface InspectedTask {
  /** Its kind. */
  readonly kind: string;
  /** What is trained. */
  readonly architecture: unknown;
  /** How. */
  readonly training: unknown;
  /** On what. */
  readonly data: unknown;
}

/** Something that keeps a client from working on a task. */
export interface TaskProblem {
  /** The field of the manifest. */
  readonly field: string;
  /** What is wrong with it, and the remedy. */
  readonly message: string;
}

/** What is found of a task. */
export interface InspectedTaskFindings {
  /** The architecture's tensors; undefined where only trainers know them, or it cannot be read. */
  readonly tensors: readonly TensorDescription[] | undefined;
  /** How far one round can carry one weight, where the settings bound it. */
  readonly farthest: number | undefined;
  /** What keeps a client from working on it. */
  readonly problems: readonly TaskProblem[];
}

const DATA_SCHEMAS = { 'next-character': nextCharacterDataSchema, classification: classificationDataSchema } as const;

/** Looks at a task as a client would that gets it in a manifest. Of a `custom` task only its trainers know more. */
export async function inspectTask({
  kind,
  architecture,
  training,
  data,
}: InspectedTask): Promise<InspectedTaskFindings> {
  const problems: TaskProblem[] = [];
  if (kind === 'custom') return { tensors: undefined, farthest: undefined, problems };
  if (!Object.hasOwn(DATA_SCHEMAS, kind)) {
    const known = [...Object.keys(DATA_SCHEMAS), 'custom'].join(', ');
    const message = `clients work on tasks of the kinds ${known}; "${kind}" needs clients with a trainer of their own`;
    return { tensors: undefined, farthest: undefined, problems: [{ field: 'task.kind', message }] };
  }
  const { source, own } = apart(data);
  if (source !== undefined) {
    for (const { path, message } of publishedSourceSchema.safeParse(source).error?.issues ?? []) {
      problems.push({ field: ['task', 'data', 'source', ...path.map(String)].join('.'), message });
    }
  }
  const parsed = DATA_SCHEMAS[kind as keyof typeof DATA_SCHEMAS].safeParse(own);
  for (const { path, message } of parsed.error?.issues ?? []) {
    problems.push({ field: ['task', 'data', ...path.map(String)].join('.'), message });
  }
  const attempt = async <T>(field: string, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FedanchorError)) throw error;
      problems.push({ field, message: error.message });
      return undefined;
    }
  };
  const recipe = await attempt('task.training', () => parseTrainingSettings(training));
  const tensors = await attempt('task.architecture', () => describeTensors(parseArchitecture(architecture)));
  if (parsed.success && tensors) problems.push(...shapeProblems(parsed.data, architecture, tensors));
  return { tensors, farthest: recipe && farthestOf(recipe), problems };
}

type TaskData = z.infer<(typeof DATA_SCHEMAS)[keyof typeof DATA_SCHEMAS]>;

/** Whether the data go into the model's input, and as many classes come out of it. */
function shapeProblems(data: TaskData, architecture: unknown, tensors: readonly TensorDescription[]): TaskProblem[] {
  const [input, classes] =
    'contextLength' in data
      ? [[data.contextLength, ALPHABET_SIZE], ALPHABET_SIZE]
      : [data.inputShape, Array.isArray(data.classes) ? data.classes.length : data.classes];
  const problems: TaskProblem[] = [];
  const stated = inputOf(architecture);
  if (stated !== undefined && stated.join() !== input.join()) {
    const message = `its input has the shape [${stated.join(', ')}], the data give [${input.join(', ')}]: change batch_input_shape or task.data`;
    problems.push({ field: 'task.architecture', message });
  }
  const last = tensors.at(-1);
  const outputs = last?.shape.at(-1);
  if (outputs !== classes) {
    const message = `its last tensor "${last?.name}" gives ${outputs} outputs, the data have ${classes} classes`;
    problems.push({ field: 'task.architecture', message });
  }
  return problems;
}

/** The input's shape that the first layer states, without the axis of the batch. */
function inputOf(architecture: unknown): unknown[] | undefined {
  const layers = (architecture as { config?: { layers?: { config?: { batch_input_shape?: unknown } }[] } }).config
    ?.layers;
  const shape = layers?.[0]?.config?.batch_input_shape;
  return Array.isArray(shape) ? shape.slice(1) : undefined;
}

/** What the job says of data that it publishes, apart from what it says of the task. */
function apart(data: unknown): { readonly source?: unknown; readonly own: unknown } {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return { own: data };
  const { source, ...own } = data as Readonly<Record<string, unknown>>;
  return { source, own };
}

/** How far a round can carry one weight; undefined where nothing bounds it. */
function farthestOf(recipe: TrainingRecipe): number | undefined {
  // A message of mode gradient is a mean of gradients, each no longer than the limit.
  if (recipe.mode === 'gradient') return Number.isFinite(recipe.clipNorm) ? recipe.clipNorm : undefined;
  if (!('steps' in recipe.length)) return undefined;
  const { optimizer, learningRate, clipNorm } = recipe;
  const { steps } = recipe.length;
  // Adam's steps are about the rate for each weight, whatever the gradient (Kingma and Ba, section 2.1).
  if (optimizer.name === 'adam') return learningRate * steps;
  const reach = optimizer.name === 'momentum' ? 1 / (1 - optimizer.momentum) : 1;
  return Number.isFinite(clipNorm) ? learningRate * clipNorm * reach * steps : undefined;
}
