import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_RING_SIZE } from '../../contracts/deploy.ts';
import { SCORE_METHODS } from '../../shared/aggregation/scores.ts';
import type { Hex } from '../../shared/bytes.ts';
import { ConfigError } from '../../shared/config-check.ts';
import { DEFAULT_FRACTION_BITS, LEARNING_RATE_BITS } from '../../shared/fixed-point/constants.ts';
import { layoutOf } from '../../shared/fixed-point/layout.ts';
import { encodeModel } from '../../shared/fixed-point/model.ts';
import { participationSchema } from '../../shared/round/participation.ts';
import { serverStepSchema } from '../../shared/round/server-step-schema.ts';
import { decodeSafetensors } from '../../shared/safetensors.ts';
import { wireSchema } from '../../shared/wire/wire-terms.ts';
import type { ManifestDraft } from '../job-folder.ts';
import { completeCourt, courtDraftSchema } from './court-draft.ts';
import { readConfigFile } from './toml-file.ts';

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address: 0x and 40 hexadecimal digits')
  .transform((text) => text.toLowerCase() as Hex);
const tokens = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,37})$/, "expected a whole number in quotes, in the token's smallest unit");

/** What a job's file says. */
export const jobFileSchema = z.strictObject({
  name: z.string().min(1).max(200),
  /** The model before round 1. */
  model: z.string().min(1, 'expected the path of a .safetensors file'),
  rounds: z.number().int().positive().max(0xff_ffff),
  initialUpdateBits: z.number().int().min(0).max(30).default(12),
  disclosure: z.enum(['public', 'participants', 'auditors']).default('participants'),
  /** Thirty days: time enough to audit a job after it has ended. */
  retentionS: z.number().int().min(0).default(2_592_000),
  task: z.strictObject({
    kind: z.string().min(1).max(100),
    /** File with the architecture, instead of the architecture itself. */
    architectureFile: z.string().min(1).optional(),
    architecture: z.json().optional(),
    training: z.json(),
    data: z.json(),
  }),
  aggregation: z.strictObject({
    rule: z.strictObject({
      rule: z.string().min(1),
      pre: z.array(z.string().min(1)).default([]),
      f: z.number().int().min(0),
      params: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
    }),
    sampleCap: z.number().int().positive().max(0xffff_ffff).default(1_000_000),
    serverStep: serverStepSchema.default({ name: 'FedAvg', learningRate: 2 ** LEARNING_RATE_BITS }),
  }),
  participation: participationSchema,
  rewards: z.strictObject({ pricePerRound: tokens, score: z.enum(SCORE_METHODS).default('confirmation') }),
  chain: z.strictObject({ windowTicks: z.number().int().min(0).max(0xffff) }),
  /** How updates travel; left out, as they are. */
  wire: wireSchema.optional(),
  /** Stakes, bonds and disputes; left out, the job has none. */
  court: courtDraftSchema.optional(),
  contracts: z
    .strictObject({
      /** An ERC-20 that is there already; left out, one is deployed. */
      token: address.optional(),
      /** Who receives the new token's supply; left out, the deployer. */
      treasury: address.optional(),
      guardian: address.optional(),
      arbiter: address.optional(),
      ringSize: z.number().int().min(2).max(1024).optional(),
      endsInDays: z.number().positive().max(36_500).default(365),
      claimDays: z.number().positive().max(36_500).default(365),
    })
    .prefault({}),
});

/** A job's file, its defaults filled in. */
export type JobFile = z.infer<typeof jobFileSchema>;

/** What the contracts of a job are to be. */
export type ContractTerms = JobFile['contracts'];

/** A job as its operator wrote it down. */
export interface JobDraft {
  /** The manifest but for what the coordinator commits to. */
  readonly manifest: ManifestDraft;
  /** The model before round 1. */
  readonly model: Int32Array;
  /** What the contracts are to be. */
  readonly contracts: ContractTerms;
}

/**
 * Reads a job from a TOML or JSON file and the files that it names, whose paths are relative to it. Names and meanings are
 * those of the manifest; the tensors are those of the model.
 *
 * @throws ConfigError, SafetensorsError, LayoutError
 */
export async function readJobDraft(file: string): Promise<JobDraft> {
  const said = await readConfigFile(file, jobFileSchema);
  const { model: modelFile, contracts, task, court, ...rest } = said;
  const at = (path: string): string => resolve(dirname(file), path);
  const weights = decodeSafetensors(await read(file, 'model', at(modelFile)));
  const tensors = weights.map(({ name, shape }) => ({
    ...{ name, shape: [...shape], fractionBits: DEFAULT_FRACTION_BITS, preScaleBits: 0 },
  }));
  const { vector, saturated } = encodeModel(
    layoutOf(tensors),
    weights.map(({ values }) => values),
  );
  if (saturated > 0) {
    const message = `${file}, field "model": ${saturated} weights of ${modelFile} are too large to be counted in 2^-24: scale the model`;
    throw new ConfigError('config/invalid', message, { file, field: 'model' });
  }
  const { architectureFile, architecture, ...others } = task;
  if ((architectureFile === undefined) === (architecture === undefined)) {
    const message = `${file}, field "task.architecture": give either architecture or architectureFile`;
    throw new ConfigError('config/invalid', message, { file, field: 'task.architecture' });
  }
  const architectureJson =
    architectureFile === undefined
      ? architecture
      : parseJson(file, architectureFile, await read(file, 'task.architectureFile', at(architectureFile)));
  const { rewards, chain, participation } = rest;
  const basis = {
    ...{ pricePerRound: BigInt(rewards.pricePerRound), ringSize: contracts.ringSize ?? DEFAULT_RING_SIZE },
    ...{ deadlineMs: participation.deadlineMs, quorum: participation.quorum, windowTicks: chain.windowTicks },
  };
  const manifest = {
    ...rest,
    ...(court === undefined ? {} : { court: completeCourt(file, court, basis) }),
    tensors,
    task: { ...others, architecture: architectureJson },
  } as unknown as ManifestDraft;
  return { manifest, model: vector, contracts };
}

async function read(file: string, field: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const message = `${file}, field "${field}": ${path} cannot be read`;
    throw new ConfigError('config/unreadable', message, { file, field }, cause);
  }
}

function parseJson(file: string, name: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    const message = `${file}, field "task.architectureFile": ${name} is not JSON`;
    throw new ConfigError('config/invalid', message, { file, field: 'task.architectureFile' }, cause);
  }
}
