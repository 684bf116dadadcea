import { z } from 'zod';
import { didYouMean } from '../../shared/aggregation/nearest-name.ts';
import { type ConfigFinding, configFindings } from '../../shared/config-check.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import { DatasetError } from './dataset-error.ts';

const MOST_EXAMPLES = 100_000_000;

const count = z.number().int().min(1).max(MOST_EXAMPLES);
const column = z.union([z.string().min(1), z.number().int().min(0)]);
const text = z.string().min(1);

const limits = {
  /** Training examples that are kept, spread evenly over all of them; default all. */
  train: count.exactOptional(),
  /** Test examples that are kept, spread evenly over all of them; default all. */
  test: count.exactOptional(),
};
const place = {
  /** File or folder, relative to the experiment's. */
  path: text,
};
const scale = (mean: number, std: number) => ({
  /** Subtracted from every value. */
  mean: z.number().default(mean),
  /** What is left is divided by it. */
  std: z.number().gt(0).default(std),
});
const held = {
  /** Share of the examples that is tested on; which ones follows from a hash of each one's values. */
  testShare: z.number().gt(0).lt(1).default(0.2),
};

/** What each kind of data takes. Pixels are divided by 255 before `mean` and `std` are applied. */
const SCHEMAS = {
  // Unless told otherwise the pixels of each come to mean 0 and deviation 1: these are their own over all training examples.
  mnist: z.strictObject({ name: z.literal('mnist'), ...place, ...scale(0.1307, 0.3081), ...limits }),
  'fashion-mnist': z.strictObject({ name: z.literal('fashion-mnist'), ...place, ...scale(0.286, 0.353), ...limits }),
  idx: z.strictObject({
    name: z.literal('idx'),
    ...place,
    ...scale(0, 1),
    ...limits,
    /** The pair of files that is trained on: `<part>-images-idx3-ubyte`, `<part>-labels-idx1-ubyte`. */
    trainPart: text.default('train'),
    /** The pair of files that is tested on. */
    testPart: text.default('t10k'),
    /** Rows and columns of an image. */
    height: count.default(28),
    width: count.default(28),
    /** Labels are below it. */
    classes: z.number().int().min(2).max(256).default(10),
  }),
  digits: z.strictObject({ name: z.literal('digits'), ...place, ...scale(0, 16), ...held, ...limits }),
  csv: z.strictObject({
    name: z.literal('csv'),
    ...place,
    ...scale(0, 1),
    ...held,
    ...limits,
    /** Column of the label: its name, or its number from 0 where there is no header. */
    label: column,
    /** Column of the natural group, which is no input. */
    group: column.exactOptional(),
    /** Whether the first line names the columns. */
    header: z.boolean().default(true),
    /** What stands between two values. */
    delimiter: z.string().length(1).default(','),
    /** What an empty value counts as; left out, it is an error. */
    missing: z.number().exactOptional(),
    /** Whether each column is brought to mean 0 and deviation 1, both of the training examples, before `mean` and `std`. */
    standardize: z.boolean().default(false),
  }),
  images: z.strictObject({
    name: z.literal('images'),
    ...place,
    ...scale(0, 1),
    ...held,
    ...limits,
    /** Rows and columns that every image is resized to. */
    height: count,
    width: count,
    /** 1 for grey, 3 for color. */
    channels: z.union([z.literal(1), z.literal(3)]).default(1),
  }),
  text: z.strictObject({
    name: z.literal('text'),
    ...place,
    /** Characters that a prediction sees. */
    context: z.number().int().min(1).max(1024).default(8),
    /** Training examples of each sub-folder, at most, spread evenly over it: each takes 388 bytes a character seen. */
    train: count.default(1000),
    /** Test examples of each sub-folder, at most. */
    test: count.default(100),
  }),
  synthetic: z.strictObject({
    name: z.literal('synthetic'),
    /** How much the devices' models differ. */
    alpha: z.number().min(0).max(1000).default(1),
    /** How much the devices' inputs differ. */
    beta: z.number().min(0).max(1000).default(1),
    /** Devices. */
    devices: z.number().int().min(1).max(10_000).default(30),
    /** Numbers of an input. */
    features: z.number().int().min(1).max(10_000).default(60),
    /** Classes. */
    classes: z.number().int().min(2).max(1000).default(10),
    /** Examples of one device, at most. */
    most: z.number().int().min(10).max(1_000_000).default(5000),
    /** Seed of the data, which are the same in every run. */
    seed: z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(1),
  }),
} as const;

/** Names of all data that an experiment can use. */
const DATASETS: readonly string[] = Object.keys(SCHEMAS);

/** The data of one run, complete. */
export type DataSpec = z.infer<(typeof SCHEMAS)[keyof typeof SCHEMAS]>;

/** The data of one kind. */
export type DataSpecOf<Name extends DataSpec['name']> = Extract<DataSpec, { readonly name: Name }>;

/** All that is wrong with how an experiment names its data; nothing is read. */
export function dataFindings(spec: RunSpec['data']): readonly ConfigFinding[] {
  const schema = schemaOf(spec.name);
  if (schema !== undefined) return configFindings(spec, schema);
  const hint = didYouMean(String(spec.name), DATASETS);
  return [{ field: 'name', message: `there are no data "${spec.name}";${hint} known: ${DATASETS.join(', ')}` }];
}

/**
 * Fills in what an experiment leaves out of its data.
 *
 * @throws DatasetError `dataset/bad-option`
 */
export function parseDataSpec(spec: RunSpec['data']): DataSpec {
  const parsed = schemaOf(spec.name)?.safeParse(spec);
  if (parsed?.success) return parsed.data;
  const [first] = dataFindings(spec);
  throw new DatasetError('dataset/bad-option', `data, field "${first?.field}": ${first?.message}`, {
    field: `data.${first?.field}`,
  });
}

function schemaOf(name: string): z.ZodType<DataSpec> | undefined {
  return Object.hasOwn(SCHEMAS, name) ? SCHEMAS[name as keyof typeof SCHEMAS] : undefined;
}
