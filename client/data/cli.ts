import { readFile, writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { type Manifest, parseManifest } from '../../shared/round/manifest.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { commitmentOf, type DataReport, openTaskData, proofOf } from '../tasks/data-report.ts';
import { datasetSecret } from '../tasks/dataset-salt.ts';
import { DataError } from './data-error.ts';
import { type RecordProof, verifyRecord } from './dataset-commitment.ts';
import { downloadDataset } from './download-dataset.ts';
import { KNOWN_DATASETS } from './known-datasets.ts';
import type { TextKind } from './text-folder.ts';

interface InspectOptions {
  readonly manifest: string;
  readonly state?: string;
  readonly text: TextKind;
  readonly json: boolean;
}

/** Adds `data …` to `fedanchor client`. */
export function registerDataCommands(client: Command): void {
  const data = client.command('data').description('look at your data as a job sees it, open records, fetch data sets');
  withManifest(data.command('inspect <paths...>'))
    .description('read all of your data as a job would, and say what it is')
    .option('--state <folder>', "your client's state folder, to tell the commitment to this data")
    .option('--json', 'print JSON', false)
    .action(inspect);
  withManifest(data.command('open <paths...>'))
    .description('show one record that you have committed to, and nothing of the others')
    .requiredOption('--state <folder>', "your client's state folder: it holds the secret behind the commitment")
    .requiredOption('--record <number>', 'which record, from 0', parseIndex)
    .requiredOption('--out <file>', 'file for the proof; whoever has it can read the record')
    .action(open);
  data
    .command('check <proof>')
    .description('check that a record is part of a data set that was committed to')
    .option('--commitment <hash>', 'the commitment that it must be of, from a signed update')
    .option('--out <file>', 'file for the record itself')
    .option('--json', 'print JSON', false)
    .action(check);
  data
    .command('fetch')
    .description('fetch a public data set; what it must be is known by its hash')
    .argument('<name>', Object.keys(KNOWN_DATASETS).join(' or '), parseDataset)
    .requiredOption('--out <folder>', 'folder for its files')
    .action(async (name: keyof typeof KNOWN_DATASETS, { out }: { readonly out: string }) => {
      const dataset = KNOWN_DATASETS[name];
      await downloadDataset({ dataset, out, onFile: (file, was) => tell(`${file.name}: ${was}, as it should be`) });
    });
}

function withManifest(command: Command): Command {
  return command
    .requiredOption('--manifest <file>', "the job's manifest, or JSON with its task alone")
    .addOption(new Option('--text <kind>', 'which text files count').choices(['any', 'documentation']).default('any'));
}

async function inspect(paths: readonly string[], { manifest: file, state, text, json }: InspectOptions): Promise<void> {
  usePlatformHashing();
  const { task, whole } = await readManifest(file);
  const data = await openTaskData({ task }, paths, text);
  try {
    data.readAll();
    const commitment = whole && state !== undefined ? commitmentOf(data, whole, await datasetSecret(state)) : undefined;
    tell(json ? JSON.stringify({ ...data.report, commitment }) : describe(data.report, commitment));
  } finally {
    data.close();
  }
}

async function open(
  paths: readonly string[],
  options: InspectOptions & { readonly state: string; readonly record: number; readonly out: string },
): Promise<void> {
  usePlatformHashing();
  const { whole } = await readManifest(options.manifest);
  if (!whole) {
    throw new DataError('data/bad-option', `${options.manifest} is not a whole manifest, to which the salt belongs`, {
      file: options.manifest,
    });
  }
  const data = await openTaskData(whole, paths, options.text);
  try {
    const proof = proofOf(data, whole, await datasetSecret(options.state), options.record);
    await writeFile(options.out, `${JSON.stringify(proof, null, 2)}\n`, { mode: 0o600 });
    tell(`${options.out}: record ${proof.index} of ${data.records.count}, committed to as ${proof.datasetCommitment}`);
  } finally {
    data.close();
  }
}

async function check(
  file: string,
  options: { readonly commitment?: string; readonly out?: string; readonly json: boolean },
): Promise<void> {
  const proof = await readProof(file);
  const { datasetCommitment, index, label, record } = proof;
  if (options.commitment !== undefined && options.commitment.toLowerCase() !== datasetCommitment) {
    throw badProof(file, `it is about the data set ${datasetCommitment}, not ${options.commitment}`);
  }
  if (!verifyRecord(proof)) throw badProof(file, 'its record is not part of the data set that it names');
  const bytes = Buffer.from(record.slice(2), 'hex');
  if (options.out !== undefined) await writeFile(options.out, bytes, { mode: 0o600 });
  if (options.json) tell(JSON.stringify({ isPart: true, datasetCommitment, index, label, bytes: bytes.length }));
  else tell(`record ${index}, of class ${label}, ${bytes.length} bytes, is part of the data set ${datasetCommitment}`);
}

function describe(report: DataReport, commitment: string | undefined): string {
  const { format, files, records, samples, heldOutSamples, histogram, duplicates, baseline } = report;
  const most = Math.max(1, ...histogram.map((each) => each.records));
  const width = Math.max(0, ...histogram.map(({ name }) => name.length));
  return [
    `${records} records in ${files} files (${format}), ${duplicates} with the input of another one`,
    `${samples} examples to train on, ${heldOutSamples} held out`,
    ...histogram.map(
      ({ name, records: count }) =>
        `  ${name.padEnd(width)} ${String(count).padStart(8)} ${'#'.repeat(Math.round((40 * count) / most))}`,
    ),
    ...(baseline === undefined ? [] : [`always the most frequent class: ${(100 * baseline).toFixed(1)} % held out`]),
    ...(commitment === undefined ? [] : [`commitment in this job: ${commitment}`]),
  ].join('\n');
}

interface ReadManifest {
  readonly task: Manifest['task'];
  readonly whole: Manifest | undefined;
}

const taskSchema = z.object({
  task: z.object({
    kind: z.string(),
    architecture: z.json().default({}),
    training: z.json().default({}),
    data: z.json(),
  }),
});

async function readManifest(file: string): Promise<ReadManifest> {
  const value = await readJson(file, 'a manifest');
  if (typeof value === 'object' && value !== null && 'tensors' in value) {
    const whole = parseManifest(value);
    return { task: whole.task, whole };
  }
  const parsed = taskSchema.safeParse(value);
  if (parsed.success) return { task: parsed.data.task, whole: undefined };
  throw new DataError('data/bad-option', `${file} is no manifest: it has no task with kind and data`, { file });
}

const hex = (bytes?: number) =>
  z.custom<RecordProof['salt']>(
    (value) =>
      typeof value === 'string' &&
      /^0x(?:[0-9a-f]{2})*$/.test(value) &&
      (bytes === undefined || value.length === 2 + 2 * bytes),
  );
const proofSchema = z.strictObject({
  version: z.literal(1),
  datasetCommitment: hex(32),
  index: z.number().int().min(0),
  label: z.number().int().min(0).max(0xffff_ffff),
  salt: hex(32),
  record: hex(),
  siblings: z.array(hex(32)).max(52),
});

async function readProof(file: string): Promise<RecordProof> {
  const parsed = proofSchema.safeParse(await readJson(file, 'a proof'));
  if (parsed.success) return parsed.data;
  throw badProof(file, `its field "${parsed.error.issues[0]?.path.join('.')}" is not what it should be`);
}

async function readJson(file: string, what: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new DataError('data/unreadable', `${file} is not a file with ${what} in JSON`, { file }, cause);
  }
}

function badProof(file: string, why: string): DataError {
  return new DataError('data/bad-proof', `${file} proves nothing: ${why}`, { file });
}

function parseIndex(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number of 0 or more');
}

function parseDataset(text: string): keyof typeof KNOWN_DATASETS {
  if (Object.hasOwn(KNOWN_DATASETS, text)) return text as keyof typeof KNOWN_DATASETS;
  throw new InvalidArgumentError(`expected ${Object.keys(KNOWN_DATASETS).join(' or ')}`);
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}
