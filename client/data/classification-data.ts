import { z } from 'zod';

const MOST_CLASSES = 10_000;

const finite = z.number();
const perFeature = z.union([finite, z.array(finite).min(1).max(1_000_000)]);
const name = z.string().min(1).max(200);
const names = z.array(name).min(1).max(1_000_000);

const common = {
  /** Shape of one example's input, such as `[28, 28, 1]`. */
  inputShape: z.array(z.number().int().min(1).max(65_536)).min(1).max(4),
  /** How many classes there are, labelled from 0; or their names, in the order of the model's outputs. */
  classes: z.union([z.number().int().min(2).max(MOST_CLASSES), z.array(name).min(2).max(MOST_CLASSES)]),
  /**
   * What an input's numbers become: `(x - mean) / deviation`, the same for every client, for constants that each took from
   * its own data would tell of it and differ. One number, or one for each of the last axis, or one for each of all.
   */
  scale: z.strictObject({ mean: perFeature, deviation: perFeature }).exactOptional(),
  /** Share of the records that is held out; default 0.1. */
  heldOutShare: z.number().gt(0).max(0.5).exactOptional(),
  /** The most records that are held out; default 10,000. */
  heldOutSamples: z.number().int().min(1).max(1_000_000).exactOptional(),
};

const csvSchema = z.strictObject({
  format: z.literal('csv'),
  ...common,
  /** Whether the first line of each file names its columns; default true. */
  header: z.boolean().exactOptional(),
  /** What stands between two values; default a comma. */
  delimiter: z.string().length(1).exactOptional(),
  /** The column of the label: its name, or its number from 0 where there is no header. */
  label: z.union([name, z.number().int().min(0)]),
  /** The columns of the input, in order; needed with a header, without one they are all but the label's. */
  features: names.exactOptional(),
  /** What an empty value counts as, before scaling; left out, an empty value is an error. */
  missing: finite.exactOptional(),
});

const ndjsonSchema = z.strictObject({
  format: z.literal('ndjson'),
  ...common,
  /** The field of the label: a number, or a name of a class. */
  label: name,
  /** One field with an array of the input's shape or flat, or the fields of the input's numbers in order. */
  features: z.union([name, names]),
  /** What a number that is null or not there counts as, before scaling; left out, that is an error. */
  missing: finite.exactOptional(),
});

const idxSchema = z.strictObject({
  format: z.literal('idx'),
  ...common,
  /** Which pair of files: `<part>-images-idx3-ubyte` and `<part>-labels-idx1-ubyte`; default `train`. */
  part: name.exactOptional(),
  /** A second pair that is held out, such as `t10k`, in place of a share of the first. */
  heldOutPart: name.exactOptional(),
});

const imagesSchema = z.strictObject({
  format: z.literal('images'),
  ...common,
  /** `none`: images have the input's size already (default). `area`: each is resized to it by the mean over boxes. */
  resize: z.enum(['none', 'area']).exactOptional(),
});

/** What a manifest says of a classification job's data, as `task.data`. */
export const classificationDataSchema = z
  .discriminatedUnion('format', [csvSchema, idxSchema, imagesSchema, ndjsonSchema])
  .superRefine((data, context) => {
    const refuse = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const size = data.inputShape.reduce((product, extent) => product * extent, 1);
    if (size > 2 ** 26) refuse(['inputShape'], `an input of ${size} numbers is too large: at most ${2 ** 26}`);
    if (Array.isArray(data.classes) && new Set(data.classes).size < data.classes.length) {
      refuse(['classes'], 'two classes have one name: names must differ');
    }
    for (const field of ['mean', 'deviation'] as const) {
      const values = data.scale?.[field];
      const last = data.inputShape.at(-1) ?? 0;
      if (Array.isArray(values) && values.length !== last && values.length !== size) {
        refuse(
          ['scale', field],
          `expected one number, ${last} (the last axis) or ${size} (each number), not ${values.length}`,
        );
      }
      if (field === 'deviation' && values !== undefined && [values].flat().some((value) => value <= 0)) {
        refuse(['scale', field], 'every deviation must be above 0');
      }
    }
    if (data.format === 'images' && (data.inputShape.length !== 3 || ![1, 3].includes(data.inputShape[2] ?? 0))) {
      refuse(['inputShape'], 'images have the shape [height, width, channels], with 1 or 3 channels');
    }
    if (data.format !== 'csv' && data.format !== 'ndjson') return;
    const { features, label } = data;
    if (data.format === 'csv' && (data.header ?? true)) {
      if (typeof label === 'number') refuse(['label'], 'name the column: the files have a header');
      if (features === undefined) refuse(['features'], 'name the columns: their order may differ from file to file');
    } else if (data.format === 'csv') {
      if (typeof label === 'string') refuse(['label'], 'give the number of the column: the files have no header');
      if (features !== undefined) refuse(['features'], 'leave it out: columns without a header have no names');
    }
    if (!Array.isArray(features)) return;
    if (features.length !== size) {
      refuse(['features'], `${features.length} are named, the input shape has ${size} numbers`);
    }
    if (new Set(features).size < features.length) refuse(['features'], 'one is named twice: names must differ');
    if (features.includes(String(label))) refuse(['features'], 'the label is among them: a model would only copy it');
  });

/** A classification job's data, parsed. */
export type ClassificationData = z.infer<typeof classificationDataSchema>;

/** The data of one format. */
export type DataOf<Format extends ClassificationData['format']> = Extract<
  ClassificationData,
  { readonly format: Format }
>;

/** Numbers in one input. */
export function inputSize({ inputShape }: Pick<ClassificationData, 'inputShape'>): number {
  return inputShape.reduce((product, extent) => product * extent, 1);
}

/** How many classes there are. */
export function classCount({ classes }: Pick<ClassificationData, 'classes'>): number {
  return Array.isArray(classes) ? classes.length : classes;
}

/** The name of a class, or its number. */
export function className({ classes }: Pick<ClassificationData, 'classes'>, label: number): string {
  return Array.isArray(classes) ? (classes[label] ?? String(label)) : String(label);
}
