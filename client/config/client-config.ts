import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import { ConfigError } from '../../shared/config-check.ts';
import type { TextKind } from '../data/text-folder.ts';
import { DEFAULT_WORK_LIMITS, type WorkLimits } from '../limits/work-limits.ts';
import { type PrivacyOptions, parsePrivacyOptions } from '../privacy/privacy-options.ts';
import type { ProcessTimeouts } from '../trainers/process/process-settings.ts';
import { parseBytes } from './byte-size.ts';
import { readConfigFile } from './config-file.ts';

/** Name of a client's configuration in its folder. */
export const CLIENT_CONFIG_FILE = 'client.toml';

/** What a client may train on; `auto` takes the first that works. */
export const BACKENDS = ['auto', 'node-gpu', 'node', 'webgpu', 'wasm', 'cpu'] as const;

/** Name of a backend, or `auto`. */
export type BackendName = (typeof BACKENDS)[number];

/** How much a client tells. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address: 0x and 40 hexadecimal digits')
  .transform((text) => text.toLowerCase() as Hex);
const webAddress = z.url({ protocol: /^https?$/, error: 'expected an address such as https://federation.example' });
const path = z.string().min(1, 'expected a path');
const paths = z.union([path, z.array(path).min(1)], { error: 'expected a path, or a list of them' });
const seed = z.number().int().min(0);
const count = z.number().int().positive();

/** How a trainer that is a program of its own may be kept from the rest of the machine. */
export const SANDBOXES = ['none', 'bwrap'] as const;

const seconds = z.number().positive().max(2_000_000).optional();
/** In seconds. */
const timeoutsSchema = z.strictObject({ hello: seconds, train: seconds, evaluate: seconds, cancel: seconds });

const programSchema = {
  trainer: z.string().min(1, 'expected a command such as "python3 train.py"').optional(),
  trainerEnv: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected names of variables')).optional(),
  trainerSandbox: z.enum(SANDBOXES, { error: `expected one of ${SANDBOXES.join(', ')}` }).optional(),
  trainerCwd: path.optional(),
  trainerRead: z.array(path).optional(),
  trainerTimeouts: timeoutsSchema.optional(),
};

const jobSchema = z.strictObject({
  job: address,
  vault: address.optional(),
  coordinator: webAddress.optional(),
  data: paths.optional(),
  text: z.enum(['any', 'documentation'], { error: 'expected "any" or "documentation"' }).optional(),
  seed: seed.optional(),
  ...programSchema,
});

const schema = z.strictObject({
  coordinator: webAddress.optional(),
  rpc: z
    .union([webAddress, z.array(webAddress).min(1)], {
      error: 'expected the address of a node such as "https://node.example", or a list of them',
    })
    .optional(),
  keyFile: path.optional(),
  state: path.optional(),
  insecurePlaintext: z.boolean().default(false),
  jobs: z.array(jobSchema).default([]),
  training: z
    .strictObject({
      backend: z.enum(BACKENDS, { error: `expected one of ${BACKENDS.join(', ')}` }).optional(),
      device: z.string().min(1).optional(),
      memoryLimit: z.string().optional(),
      wattsPerCore: z.number().positive().max(1000).optional(),
    })
    .prefault({}),
  limits: z
    .strictObject({ steps: count.optional(), epochs: count.optional(), batchSize: count.optional() })
    .prefault({}),
  privacy: z
    .strictObject({ clip: z.number(), noise: z.number(), epsilon: z.number(), delta: z.number() })
    .partial()
    .optional(),
  court: z.strictObject({ attest: z.boolean().default(true) }).prefault({}),
  log: z
    .strictObject({ level: z.enum(LOG_LEVELS, { error: `expected one of ${LOG_LEVELS.join(', ')}` }).optional() })
    .prefault({}),
});

/** A program of the client's own that trains. */
export interface TrainerProgram {
  /** Program and arguments, quoted as for a shell; none reads it. */
  readonly command: string;
  /** Folder that it runs in: by default that of the configuration, or the working directory. */
  readonly cwd: string;
  /** Variables of the environment that it is given besides the few it always is. */
  readonly environmentNames: readonly string[];
  /** What keeps it from the rest of the machine. */
  readonly sandbox: (typeof SANDBOXES)[number];
  /** What it may read in its sandbox besides its folder and the data. */
  readonly readable: readonly string[];
  /** How long it may take; what is left out has a default. */
  readonly timeouts: Partial<ProcessTimeouts>;
}

/** One job that a client takes part in. */
export interface JobConfig {
  /** Address of the job's RoundAnchor, lower case. */
  readonly job: Hex;
  /** Address of its RewardVault, where it is named. */
  readonly vault: Hex | undefined;
  /** Address of the coordinator. */
  readonly coordinator: string;
  /** Folders or files with the client's data. */
  readonly data: readonly string[];
  /** Which text files count. */
  readonly text: TextKind;
  /** Decides every random choice; undefined for a random one. */
  readonly seed: number | undefined;
  /** What trains in place of this client; undefined where the client does. */
  readonly trainer: TrainerProgram | undefined;
}

/** Everything a client is run with but its key: the file's content, the environment and the flags, complete. */
export interface ClientConfig {
  /** The file that was read; undefined where there was none. */
  readonly file: string | undefined;
  /** The jobs, at least one. */
  readonly jobs: readonly JobConfig[];
  /** Nodes of the chain in order of preference. */
  readonly rpcUrls: readonly string[];
  /** File with the participant's key; undefined where the environment names it. */
  readonly keyFile: string | undefined;
  /** Folder for what was signed and for receipts. */
  readonly state: string;
  /** Whether `http:` may leave this machine. */
  readonly insecurePlaintext: boolean;
  /** What to train on. */
  readonly backend: BackendName;
  /** Which of several devices; undefined for the first. */
  readonly device: string | undefined;
  /** What a busy core draws, in watts, where the machine does not tell; undefined for the meter's own guess. */
  readonly wattsPerCore?: number | undefined;
  /** The most that a job may ask for. */
  readonly limits: WorkLimits;
  /** Noise on every update and its budget; undefined for none. */
  readonly privacy: PrivacyOptions | undefined;
  /** Whether rounds of others are recomputed and attested, in a job with a court. */
  readonly attest: boolean;
  /** How much to tell. */
  readonly logLevel: string;
}

/** What flags and environment say; each goes before the file. */
export interface ClientFlags {
  /** The configuration file. */
  readonly config?: string;
  /** Address of the coordinator. */
  readonly coordinator?: string;
  /** Nodes of the chain. */
  readonly rpc?: readonly string[];
  /** The one job to take part in. */
  readonly job?: Hex;
  /** Address of its RewardVault. */
  readonly vault?: Hex;
  /** File with the participant's key. */
  readonly keyFile?: string;
  /** Folders or files with the client's data. */
  readonly data?: readonly string[];
  /** Which text files count. */
  readonly text?: TextKind;
  /** Folder for what was signed and for receipts. */
  readonly state?: string;
  /** What to train on. */
  readonly backend?: BackendName;
  /** Which of several devices. */
  readonly device?: string;
  /** Most memory, such as `4GiB`. */
  readonly memoryLimit?: string;
  /** Most steps of a round. */
  readonly maxSteps?: number;
  /** Most epochs of a round. */
  readonly maxEpochs?: number;
  /** Most examples of a batch. */
  readonly maxBatchSize?: number;
  /** Program that trains, with its arguments. */
  readonly trainer?: string;
  /** Variables to pass on to it. */
  readonly trainerEnv?: readonly string[];
  /** What keeps it from the rest of the machine. */
  readonly trainerSandbox?: (typeof SANDBOXES)[number];
  /** Folder that it runs in. */
  readonly trainerCwd?: string;
  /** What it may read in its sandbox besides. */
  readonly trainerRead?: readonly string[];
  /** How long it may take to answer, in seconds. */
  readonly trainerTimeouts?: z.infer<typeof timeoutsSchema>;
  /** Norm that updates are clipped to. */
  readonly dpClip?: number;
  /** Noise as a multiple of the clip. */
  readonly dpNoise?: number;
  /** Budget of all updates. */
  readonly dpEpsilon?: number;
  /** Chance left out of the guarantee. */
  readonly dpDelta?: number;
  /** Decides every random choice. */
  readonly seed?: number;
  /** Whether `http:` may leave this machine. */
  readonly insecurePlaintext?: boolean;
  /** False: attest nothing. */
  readonly attest?: boolean;
  /** How much to tell. */
  readonly logLevel?: string;
}

type Said = z.infer<typeof schema>;

/**
 * Reads a client's configuration: flags before the file that `--config` names, defaults after both. Paths in the file are
 * relative to its folder, those in flags to the working directory. A `--job` that the file lists stands for it alone.
 *
 * @param flags - the command line
 * @param memoryBytes - what the machine has, the limit where none is named
 * @throws ConfigError `config/unreadable`, `config/syntax`, `config/invalid`, `config/missing`; PrivacyError
 *   `privacy/bad-option`
 */
export async function loadClientConfig(flags: ClientFlags, memoryBytes: number): Promise<ClientConfig> {
  const file = flags.config;
  const said: Said = file === undefined ? schema.parse({}) : await readConfigFile(file, schema);
  const at = (name: string): string => (isAbsolute(name) || !file ? name : join(dirname(file), name));
  const { training, limits } = said;
  const keyFile = flags.keyFile ?? (said.keyFile === undefined ? undefined : at(said.keyFile));
  const jobs = jobsOf(flags, said, at);
  keepApart(keyFile, jobs);
  const rpc = flags.rpc ?? (typeof said.rpc === 'string' ? [said.rpc] : said.rpc);
  const memory = flags.memoryLimit ?? training.memoryLimit;
  return {
    file,
    jobs,
    rpcUrls: needed(rpc, 'rpc', '--rpc <url>', file),
    keyFile,
    state: needed(
      flags.state ?? (said.state === undefined ? undefined : at(said.state)),
      'state',
      '--state <folder>',
      file,
    ),
    insecurePlaintext: flags.insecurePlaintext === true || said.insecurePlaintext,
    backend: flags.backend ?? training.backend ?? 'auto',
    device: flags.device ?? training.device,
    wattsPerCore: training.wattsPerCore,
    limits: {
      steps: flags.maxSteps ?? limits.steps ?? DEFAULT_WORK_LIMITS.steps,
      epochs: flags.maxEpochs ?? limits.epochs ?? DEFAULT_WORK_LIMITS.epochs,
      batchSize: flags.maxBatchSize ?? limits.batchSize ?? DEFAULT_WORK_LIMITS.batchSize,
      memoryBytes: memory === undefined ? memoryBytes : parseBytes(memory, 'training.memoryLimit', file),
    },
    privacy: privacyOf(flags, said),
    attest: flags.attest !== false && said.court.attest,
    logLevel: flags.logLevel ?? said.log.level ?? 'info',
  };
}

function jobsOf(flags: ClientFlags, said: Said, at: (name: string) => string): JobConfig[] {
  const { config: file } = flags;
  const listed = said.jobs.filter(({ job }) => flags.job === undefined || job === flags.job);
  const asked: Said['jobs'] = listed.length === 0 && flags.job !== undefined ? [{ job: flags.job }] : listed;
  if (asked.length === 0) throw missing('jobs', '--job <address>', file);
  const seen = new Set<Hex>();
  return asked.map((each) => {
    if (seen.has(each.job)) {
      throw new ConfigError('config/invalid', `${file}, field "jobs": job ${each.job} is there twice: name it once`);
    }
    seen.add(each.job);
    const trainer = programOf(flags, each, at, file);
    const own = typeof each.data === 'string' ? [each.data] : each.data;
    return {
      job: each.job,
      vault: flags.vault ?? each.vault,
      coordinator: needed(
        flags.coordinator ?? each.coordinator ?? said.coordinator,
        'coordinator',
        '--coordinator <url>',
        file,
      ),
      data: dataOf(flags.data ?? own?.map(at), trainer, file),
      text: flags.text ?? each.text ?? 'any',
      seed: flags.seed ?? each.seed,
      trainer,
    };
  });
}

/** A program knows where its data is; this client has to be told. */
function dataOf(
  data: readonly string[] | undefined,
  trainer: TrainerProgram | undefined,
  file: string | undefined,
): readonly string[] {
  if (trainer !== undefined) return data ?? [];
  return needed(data, 'data', '--data <folder...>', file);
}

function programOf(
  flags: ClientFlags,
  said: Said['jobs'][number],
  at: (name: string) => string,
  file: string | undefined,
): TrainerProgram | undefined {
  const command = flags.trainer ?? said.trainer;
  if (command === undefined) return undefined;
  const isFromFile = flags.trainer === undefined && file !== undefined;
  const cwd = flags.trainerCwd ?? (said.trainerCwd === undefined ? undefined : at(said.trainerCwd));
  const limits = Object.entries({ ...said.trainerTimeouts, ...flags.trainerTimeouts });
  return {
    command,
    cwd: cwd ?? (isFromFile ? dirname(resolve(file)) : process.cwd()),
    environmentNames: flags.trainerEnv ?? said.trainerEnv ?? [],
    sandbox: flags.trainerSandbox ?? said.trainerSandbox ?? 'none',
    readable: flags.trainerRead ?? said.trainerRead?.map(at) ?? [],
    timeouts: Object.fromEntries(limits.map(([name, limit = 0]) => [`${name}Ms`, limit * 1000])),
  };
}

function privacyOf({ dpClip, dpNoise, dpEpsilon, dpDelta }: ClientFlags, said: Said): PrivacyOptions | undefined {
  const given = Object.entries({ clip: dpClip, noise: dpNoise, epsilon: dpEpsilon, delta: dpDelta });
  const flagged = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  if (said.privacy === undefined && Object.keys(flagged).length === 0) return undefined;
  return parsePrivacyOptions({ ...said.privacy, ...flagged });
}

/** What lies in a data folder is trained on, and may be learnt by heart: the key must not lie there. */
function keepApart(keyFile: string | undefined, jobs: readonly JobConfig[]): void {
  if (keyFile === undefined) return;
  for (const folder of jobs.flatMap(({ data }) => data)) {
    const way = relative(resolve(folder), resolve(keyFile));
    if (way.startsWith('..') || isAbsolute(way)) continue;
    const message = `the key ${keyFile} lies in the data ${folder}, which is trained on: move one of them`;
    throw new ConfigError('config/invalid', message, { field: 'data', folder, keyFile });
  }
}

/**
 * The RewardVault of a job, where a command cannot do without it.
 *
 * @throws ConfigError `config/missing`
 */
export function vaultOf({ vault }: Pick<JobConfig, 'vault'>, file: string | undefined): Hex {
  return needed(vault, 'vault', '--vault <address>', file);
}

function needed<T>(value: T | undefined, field: string, flag: string, file: string | undefined): T {
  if (value !== undefined) return value;
  throw missing(field, flag, file);
}

function missing(field: string, flag: string, file: string | undefined): ConfigError {
  const where = file === undefined ? 'or name a file that does with --config' : `or "${field}" in ${file}`;
  return new ConfigError('config/missing', `"${field}" is missing: give ${flag}, ${where}`, { field, file });
}
