import { z } from 'zod';
import type { ChainSettings } from '../../contracts/deploy/deploy-chain.ts';
import { RULES } from '../../shared/aggregation/registry.ts';
import type { Hex } from '../../shared/bytes.ts';
import { readConfigFile } from './toml-file.ts';

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address: 0x and 40 hexadecimal digits')
  .transform((text) => text.toLowerCase() as Hex);
const tokens = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,37})$/, "expected a whole number in quotes, in the token's smallest unit")
  .transform(BigInt);
const uint32 = z.number().int().min(0).max(0xffff_ffff);
const bps = z.number().int().min(0).max(0xffff_ffff);

const MINUTE_S = 60;
const DAY_S = 86_400;
/** Blocks of twelve seconds in a day, as on the main network. */
const DAY_BLOCKS = 7200;
const TOKEN = 10n ** 18n;
const NAMES = RULES.map(({ name }) => name);

const settings = z.strictObject({
  /** A votes token that is there already; left out, a FedToken is created. */
  token: address.optional(),
  /** Who receives the new token's supply; left out, whoever deploys. */
  treasury: address.optional(),
  supply: tokens.default(1_000_000_000n * TOKEN),
  timelockDelayS: z
    .number()
    .int()
    .min(0)
    .max(365 * DAY_S)
    .default(2 * DAY_S),
  /** Names of the rules that registered jobs may use; left out, all. */
  rules: z.array(z.enum(NAMES as [string, ...string[]])).default(NAMES),
  governor: z
    .strictObject({
      votingDelay: uint32.default(DAY_BLOCKS),
      votingPeriod: uint32.min(1).default(7 * DAY_BLOCKS),
      proposalThreshold: tokens.default(100_000n * TOKEN),
      quorumPercent: z.number().int().min(1).max(100).default(4),
      lateQuorumExtension: uint32.default(2 * DAY_BLOCKS),
    })
    .refine(({ lateQuorumExtension, votingPeriod }) => lateQuorumExtension <= votingPeriod, {
      path: ['lateQuorumExtension'],
      message: 'it is longer than votingPeriod: choose at most that',
    })
    .prefault({}),
  /** Bounds are those of the contract Params, which refuses what lies outside. */
  params: z
    .strictObject({
      minWindowS: uint32.default(10 * MINUTE_S),
      maxWindowS: uint32.default(30 * DAY_S),
      minAnswerS: uint32.default(10 * MINUTE_S),
      maxAnswerS: uint32.default(7 * DAY_S),
      slashCoverBps: bps.default(10_000),
      challengerBondBps: bps.default(5000),
      feeBps: bps.default(250),
      courtRequired: z.boolean().default(false),
      registrationBond: tokens.default(0n),
    })
    .prefault({}),
});

const schema = settings.refine(({ token, supply, governor }) => token || governor.proposalThreshold <= supply, {
  path: ['governor', 'proposalThreshold'],
  message: 'it is more than the whole supply, so nobody could propose: choose less',
});

/**
 * Reads how a chain's governance is to be from a TOML or JSON file, or takes the defaults where none is named.
 *
 * @param deployer - treasury of a new token where the file names none
 * @throws ConfigError
 */
export async function readChainSettings(file: string | undefined, deployer: Hex): Promise<ChainSettings> {
  const { token, treasury, ...rest } = file === undefined ? schema.parse({}) : await readConfigFile(file, schema);
  return { ...rest, treasury: treasury ?? deployer, ...(token === undefined ? {} : { token }) };
}
