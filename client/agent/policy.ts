import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import { readConfigFile } from '../config/config-file.ts';
import { isTimeZone, parseHours } from './hours.ts';

const hexOf = (bytes: number, what: string) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `expected ${what}: 0x and ${2 * bytes} hexadecimal digits`)
    .transform((text) => text.toLowerCase() as Hex);
const address = hexOf(20, 'an address');
const hash = hexOf(32, 'a hash');
const amount = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,28})$/, "expected a whole number in quotes, in the token's smallest unit")
  .transform(BigInt);
const webAddress = z.url({ protocol: /^https?$/, error: 'expected an address such as https://federation.example' });
const path = z.string().min(1, 'expected a path');
const count = z.number().int().positive();

/** What is asked for, and given, in one token. Tokens that are not listed are worth nothing to this agent. */
const tokenSchema = z.strictObject({
  /** The ERC-20 that a job pays and is staked in. */
  token: address,
  /** Least pot of a round. */
  minPricePerRound: amount,
  /** Least part of a pot that would be this agent's if all who are expected shared it alike. */
  minSharePerRound: amount.default(0n),
  /** Most that is staked in one job. */
  maxStakePerJob: amount.default(0n),
  /** Most that is staked in all jobs together. */
  maxStakeTotal: amount.default(0n),
});

const policySchema = z.strictObject({
  /** Nodes of the chain. */
  rpc: z.union([webAddress, z.array(webAddress).min(1)]),
  /** The Registry. */
  registry: address.optional(),
  /** Or the file of the deployment that it belongs to. */
  deployment: path.optional(),
  /** First block to look at. */
  fromBlock: z.number().int().min(0).optional(),
  /** File with the key; left out, the environment names it. */
  keyFile: path.optional(),
  /** Folder for what the agent must remember. */
  state: path,
  /** Pause between two looks at the chain, in seconds. */
  everyS: z.number().positive().max(86_400).default(60),
  /** Whether `http:` may leave this machine, and announced addresses may be of this machine or its network. */
  insecurePlaintext: z.boolean().default(false),
  tokens: z.array(tokenSchema).min(1, 'name at least one token that you want to earn'),
  /** Whose jobs are taken. One of the three is needed, or no job is. */
  allow: z
    .strictObject({
      /** Hashes of manifests that you have read. */
      manifests: z.array(hash).default([]),
      /** Accounts that register jobs: each one's signature is on the registration. */
      publishers: z.array(address).default([]),
      /** Jobs of anybody. */
      anybody: z.boolean().default(false),
    })
    .prefault({}),
  hours: z
    .strictObject({
      timeZone: z.string().refine(isTimeZone, 'expected the name of a time zone, such as "Europe/Berlin"'),
      windows: z
        .array(
          z.string().transform((text, context) => {
            const window = parseHours(text);
            if (window !== undefined) return window;
            const message = `"${text}" are no hours: write such as "20:00-07:00" or "mon-fri 18:30-24:00"`;
            context.addIssue({ code: 'custom', message });
            return z.NEVER;
          }),
        )
        .min(1),
    })
    .optional(),
  work: z.strictObject({
    /** Kinds of tasks, as manifests name them. */
    tasks: z.array(z.string().min(1)).min(1),
    /** What to train on. */
    backend: z.enum(['auto', 'node-gpu', 'node', 'webgpu', 'wasm', 'cpu']).default('auto'),
    /** Which of several devices. */
    device: z.string().min(1).optional(),
    /** Jobs at one time. */
    maxJobs: count.default(1),
    /** Most batches of a round. */
    maxSteps: count.default(10_000),
    /** Most passes over the data in a round. */
    maxEpochs: count.default(100),
    /** Most examples in a batch. */
    maxBatchSize: count.default(4096),
    /** Most parameters of a model. */
    maxParameters: count.default(100_000_000),
    /** Most rounds of a job. */
    maxRounds: count.default(100_000),
    /** Least part of a job's remaining pots that its vault must hold already, in percent. */
    minFundedPercent: z.number().int().min(0).max(100).default(0),
  }),
  /** Where the data for a kind of task is: folders or files of yours. */
  data: z.array(z.strictObject({ task: z.string().min(1), paths: z.array(path).min(1) })).default([]),
  /** Whether jobs are taken that publish their data, for which none of yours is needed. */
  publishedData: z.boolean().default(false),
  /** Most bytes of such data that are downloaded for one job. */
  maxPublishedBytes: count.default(2 ** 30),
  /** Where coordinators are, for those who announce nothing or whose announcements are not to be followed. */
  coordinators: z.array(z.strictObject({ address, url: webAddress })).default([]),
  /** Whether the address that a registration announces is followed. */
  followAnnouncements: z.boolean().default(true),
  /** Whether rounds of others are recomputed and attested, in a job with a court. */
  attest: z.boolean().default(true),
});

/** What an agent may do by itself, complete. */
export type Policy = z.infer<typeof policySchema>;

/**
 * Reads a policy from a TOML or JSON file. Its paths are relative to its folder.
 *
 * @throws ConfigError `config/unreadable`, `config/syntax`, `config/invalid`, naming the field
 */
export async function readPolicy(file: string): Promise<Policy> {
  const said = await readConfigFile(file, policySchema);
  const at = (name: string): string => (isAbsolute(name) ? name : join(dirname(file), name));
  return {
    ...said,
    state: at(said.state),
    ...(said.keyFile === undefined ? {} : { keyFile: at(said.keyFile) }),
    ...(said.deployment === undefined ? {} : { deployment: at(said.deployment) }),
    data: said.data.map((each) => ({ ...each, paths: each.paths.map(at) })),
  };
}
