import { encodeSafetensors } from '../../shared/safetensors.ts';

/** Kinds of jobs that there is a template for. */
export const TEMPLATES = ['text', 'image', 'tabular', 'custom'] as const;

/** Name of a template. */
export type TemplateName = (typeof TEMPLATES)[number];

/** What a template puts into a folder. */
export interface JobTemplate {
  /** The section `[task]` of the job's file. */
  readonly task: string;
  /** The architecture; undefined where the task's trainers know it. */
  readonly architecture: object | undefined;
  /** The model before round 1, where none is drawn for the architecture. */
  readonly model: Uint8Array | undefined;
  /** What to do with it next, for people. */
  readonly advice: string;
}

const dense = (name: string, units: number, activation: string, input: readonly number[] = []) => ({
  class_name: 'Dense',
  config: {
    name,
    units,
    activation,
    ...(input.length > 0 && { batch_input_shape: [null, ...input], dtype: 'float32' }),
  },
});

const conv = (name: string, filters: number, input: readonly number[] = []) => ({
  class_name: 'Conv2D',
  config: {
    ...{ name, filters, kernel_size: [3, 3], strides: [1, 1], padding: 'same', activation: 'relu' },
    ...(input.length > 0 && { batch_input_shape: [null, ...input], dtype: 'float32' }),
  },
});

const pool = (name: string) => ({
  class_name: 'MaxPooling2D',
  config: { name, pool_size: [2, 2], strides: [2, 2], padding: 'valid' },
});

const sequential = (name: string, layers: readonly object[]) => ({
  class_name: 'Sequential',
  config: { name, layers },
});

const TEXT: JobTemplate = {
  task: `[task]
# Predict the next character of a text from those before it.
kind = "next-character"
architectureFile = "architecture.json"
# Each client takes so many batches of its own text a round.
training = { optimizer = "momentum", learningRate = 0.3, momentum = 0.9, batchSize = 64, steps = 40, clipNorm = 1 }
# The architecture's input is [contextLength, 97]: one row for each character, one column for each symbol.
data = { contextLength = 16, heldOutSamples = 1024 }`,
  architecture: sequential('next-character', [
    {
      class_name: 'Dense',
      config: {
        ...{ name: 'embedding', units: 24, activation: 'linear', use_bias: false },
        ...{ batch_input_shape: [null, 16, 97], dtype: 'float32' },
      },
    },
    { class_name: 'Flatten', config: { name: 'context' } },
    dense('hidden', 192, 'relu'),
    dense('logits', 97, 'linear'),
  ]),
  model: undefined,
  advice: 'clients bring folders with text: fedanchor client run ... --data FOLDER',
};

const IMAGE: JobTemplate = {
  task: `[task]
# Classify grey images of 28 by 28, such as MNIST and Fashion-MNIST.
kind = "classification"
architectureFile = "architecture.json"
# One pass over a client's images a round. steps = 40 in its place takes as long for every client.
training = { optimizer = "adam", learningRate = 0.001, batchSize = 32, epochs = 1 }

[task.data]
# "idx", "images" (a folder for each class), "csv" or "ndjson": docs/data.md.
format = "idx"
inputShape = [28, 28, 1]
classes = 10
# The same for every client: constants of one's own data would tell of it. Bytes from 0 to 255 become about -1 to 1.
scale = { mean = 127.5, deviation = 127.5 }`,
  architecture: sequential('small-cnn', [
    conv('conv1', 8, [28, 28, 1]),
    pool('pool1'),
    conv('conv2', 16),
    pool('pool2'),
    { class_name: 'Flatten', config: { name: 'flat' } },
    dense('hidden', 64, 'relu'),
    dense('logits', 10, 'linear'),
  ]),
  model: undefined,
  advice: 'clients bring IDX files: fedanchor client run ... --data FOLDER',
};

const TABULAR: JobTemplate = {
  task: `[task]
# Classify rows of numbers.
kind = "classification"
architectureFile = "architecture.json"
training = { optimizer = "adam", learningRate = 0.01, batchSize = 32, epochs = 1 }

[task.data]
format = "csv"
# One number for each of the columns in "features".
inputShape = [4]
classes = ["low", "middle", "high"]
label = "risk"
features = ["age", "income", "balance", "visits"]
# The same for every client, agreed and not measured: a column's typical value and how far values lie from it.
scale = { mean = [40, 50000, 1000, 3], deviation = [15, 20000, 2000, 2] }`,
  architecture: sequential('mlp', [
    dense('hidden1', 32, 'relu', [4]),
    dense('hidden2', 16, 'relu'),
    dense('logits', 3, 'linear'),
  ]),
  model: undefined,
  advice: 'clients bring CSV files with these columns: fedanchor client run ... --data FILE.csv',
};

const CUSTOM: JobTemplate = {
  task: `[task]
# Trained by programs of the participants' own (docs/trainers.md). What stands in architecture, training and data is
# handed to them as it is; fedanchor looks at none of it.
kind = "custom"
architecture = { inputs = 64, classes = 10 }
training = { learningRate = 0.1, batchSize = 32, epochs = 1 }
data = { format = "csv" }`,
  architecture: undefined,
  model: encodeSafetensors([
    { name: 'kernel', shape: [64, 10], values: new Float32Array(640) },
    { name: 'bias', shape: [10], values: new Float32Array(10) },
  ]),
  advice:
    'start.safetensors holds a kernel [64, 10] and a bias [10] of zeros: put the model of your framework in its place',
};

/** What each template puts into a folder. */
export const JOB_TEMPLATES: Readonly<Record<TemplateName, JobTemplate>> = {
  text: TEXT,
  image: IMAGE,
  tabular: TABULAR,
  custom: CUSTOM,
};

/**
 * A job's file as text: each field with what it decides, those that are commented out with their defaults.
 *
 * @param name - the job's name
 * @param template - whose task it is
 */
export function jobFileText(name: string, { task }: JobTemplate): string {
  return `# A job: what is trained, by which rule it is aggregated, who takes part, what a round pays. Its manifest is made from
# this file, and the manifest's hash goes on chain: nothing of it can be changed afterwards. Paths are relative to this
# file. "fedanchor job check" says what is wrong with it, "fedanchor job create" puts it on chain (docs/jobs.md).

name = ${JSON.stringify(name)}
# The model before round 1; its tensors are the job's.
model = "start.safetensors"
rounds = 20
# Who may read the updates: "public", "participants" or "auditors". They tell something of the data.
disclosure = "participants"
# How long updates are kept after their round is final, in seconds.
retentionS = 2592000
# Binary places of the first round's updates; later rounds find theirs by themselves.
initialUpdateBits = 12

${task}

[aggregation.rule]
# docs/rules.md lists the rules and how many liars each bears. The trimmed mean bears fewer than half.
rule = "TrMean"
# Participants that may lie or fail, and shall not be able to spoil the model.
f = 1

[participation]
# "open", or the list of the accounts that may take part.
admission = "open"
# Participants that must be there before round 1.
expected = 5
# Updates without which a round is not aggregated.
quorum = 4
# The longest time a round waits, in milliseconds.
deadlineMs = 600000
# How often a round below its quorum is tried again.
retries = 10
# Asking a part of many (docs/participation.md):
# sample = { size = 20, extra = 5 }
# Rounds that wait for nobody (docs/async.md): each takes the first updates that come, also of models so many rounds old.
# Not beside a sample, a pace or a court.
# buffer = { size = 4, maxStaleness = 10 }

[rewards]
# What a round pays in all, in the token's smallest unit: here one token of 18 decimal places.
pricePerRound = "1000000000000000000"
# By what the others confirm, or "alignment" with the aggregate (docs/rewards.md).
score = "confirmation"

[chain]
# How long a round can be challenged before it is final, in ticks of 16 seconds: here an hour.
windowTicks = 225

# Stakes, bonds and disputes (docs/stakes.md, docs/disputes.md). Every amount has a default that follows from the price;
# leave the line below out for a job whose lies are seen by everyone and punished by nobody.
[court]

[contracts]
# The ERC-20 that pays; left out, one is deployed with the job and treasury, or the deployer, receives its supply.
# token = "0x0000000000000000000000000000000000000000"
# treasury = "0x0000000000000000000000000000000000000000"
# Who may replace the coordinator.
# guardian = "0x0000000000000000000000000000000000000000"
# Rewards are activated for so long, and can be claimed for so long after that.
endsInDays = 365
claimDays = 365
`;
}
