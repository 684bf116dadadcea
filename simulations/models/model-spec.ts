import { z } from 'zod';
import { didYouMean } from '../../shared/aggregation/nearest-name.ts';
import { type ConfigFinding, configFindings } from '../../shared/config-check.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import { LearnerError } from './learner-error.ts';

/** One layer, as an experiment describes it. */
export type LayerSpec =
  /** Every value with every input; weights and biases. */
  | { readonly kind: 'dense'; readonly units: number }
  /** Windows of `size * size` pixels in steps of one, without a border. */
  | { readonly kind: 'convolution'; readonly filters: number; readonly size: number }
  /** What is below zero becomes zero. */
  | { readonly kind: 'rectifier' }
  /** The largest of every 2 x 2 square. */
  | { readonly kind: 'pool' }
  /** Each value is left out with this chance while training, and the others are scaled up. */
  | { readonly kind: 'dropout'; readonly rate: number };

const MOST_UNITS = 65_536;

/** Networks that experiments name, as layers in front of the last one, which has a value for each class. */
const NAMED = {
  // Multinomial (softmax) regression.
  softmax: '',
  // ByzFL (byzfl/fed_framework/models.py): 431,080 parameters on 28 x 28 x 1 and ten classes.
  cnn_mnist: 'conv 20 5, relu, pool, conv 50 5, relu, pool, dense 500, relu',
  // Karimireddy, He and Jaggi, "Byzantine-Robust Learning on Heterogeneous Datasets via Bucketing", 2022: their MNIST network.
  cnn_bucketing: 'conv 32 3, relu, conv 64 3, relu, pool, dropout 0.25, dense 128, relu, dropout 0.5',
} as const;

const SCHEMAS = {
  softmax: z.strictObject({ name: z.literal('softmax') }),
  mlp: z.strictObject({
    name: z.literal('mlp'),
    /** Units of each hidden layer, all rectified. */
    hidden: z.array(z.number().int().min(1).max(MOST_UNITS)).min(1).max(32).default([100]),
  }),
  cnn_mnist: z.strictObject({ name: z.literal('cnn_mnist') }),
  cnn_bucketing: z.strictObject({ name: z.literal('cnn_bucketing') }),
  layers: z.strictObject({
    name: z.literal('layers'),
    /** Such as `conv 20 5, relu, pool, dense 100, relu`; the last one, a value for each class, is added. */
    layers: z.string(),
  }),
} as const;

/** Names of all models that an experiment can use. */
const MODELS: readonly string[] = Object.keys(SCHEMAS);

/** All that is wrong with how an experiment describes its model. */
export function modelFindings(spec: RunSpec['model']): readonly ConfigFinding[] {
  const schema = schemaOf(spec.name);
  if (schema === undefined) {
    const hint = didYouMean(String(spec.name), MODELS);
    return [{ field: 'name', message: `there is no model "${spec.name}";${hint} known: ${MODELS.join(', ')}` }];
  }
  const findings = configFindings(spec, schema);
  if (findings.length > 0 || spec.name !== 'layers') return findings;
  try {
    parseLayers(String(spec['layers']));
    return [];
  } catch (error) {
    if (error instanceof LearnerError) return [{ field: 'layers', message: error.message }];
    throw error;
  }
}

/**
 * The layers of a model, without the last one, which has a value for each class.
 *
 * @throws LearnerError `learner/bad-option`
 */
export function layersOf(spec: RunSpec['model']): LayerSpec[] {
  const [wrong] = modelFindings(spec);
  if (wrong !== undefined) {
    const field = `model.${wrong.field}`;
    throw new LearnerError('learner/bad-option', `model, field "${wrong.field}": ${wrong.message}`, { field });
  }
  const parsed = (schemaOf(spec.name) as z.ZodType<ModelSpec>).parse(spec);
  switch (parsed.name) {
    case 'mlp':
      return parsed.hidden.flatMap((units) => [{ kind: 'dense', units }, { kind: 'rectifier' }] as const);
    case 'layers':
      return parseLayers(parsed.layers);
    default:
      return parseLayers(NAMED[parsed.name]);
  }
}

type ModelSpec = z.infer<(typeof SCHEMAS)[keyof typeof SCHEMAS]>;

function schemaOf(name: string): z.ZodType<ModelSpec> | undefined {
  return Object.hasOwn(SCHEMAS, name) ? SCHEMAS[name as keyof typeof SCHEMAS] : undefined;
}

function parseLayers(text: string): LayerSpec[] {
  if (text.trim() === '') return [];
  return text.split(',').map((part) => parseLayer(part.trim()));
}

const KINDS = ['conv', 'dense', 'dropout', 'pool', 'relu'] as const;

function parseLayer(text: string): LayerSpec {
  const [kind = '', ...numbers] = text.split(/\s+/);
  const values = numbers.map(Number);
  const [first = Number.NaN, second = Number.NaN] = values;
  const isSize = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= MOST_UNITS;
  switch (kind) {
    case 'conv':
      if (values.length === 2 && isSize(first) && isSize(second)) {
        return { kind: 'convolution', filters: first, size: second };
      }
      throw badLayer(text, 'write "conv <filters> <size>", such as conv 20 5');
    case 'dense':
      if (values.length === 1 && isSize(first)) return { kind: 'dense', units: first };
      throw badLayer(text, 'write "dense <units>", such as dense 100');
    case 'dropout':
      if (values.length === 1 && first > 0 && first < 1) return { kind: 'dropout', rate: first };
      throw badLayer(text, 'write "dropout <chance>", above 0 and below 1');
    case 'pool':
      if (values.length === 0) return { kind: 'pool' };
      throw badLayer(text, 'a pool takes no number: it is of 2 x 2');
    case 'relu':
      if (values.length === 0) return { kind: 'rectifier' };
      throw badLayer(text, 'relu takes no number');
    default:
      throw badLayer(text, `there is no such layer;${didYouMean(kind, KINDS)} known: ${KINDS.join(', ')}`);
  }
}

function badLayer(text: string, remedy: string): LearnerError {
  return new LearnerError('learner/bad-option', `the layer "${text}" is not understood: ${remedy}`, {
    ...{ field: 'model.layers', layer: text },
  });
}
