import { z } from 'zod';
import { type ConfigFinding, configFindings } from '../../shared/config-check.ts';
import { networkSchema } from './network-schema.ts';
import { serverFindings, serverSchema } from './server-schema.ts';

const seed = z
  .number()
  .int()
  .min(0)
  .max(2 ** 32 - 1, 'expected a whole number below 2^32');
const count = z.number().int().positive();
const amount = z
  .union([z.number().min(0), z.string().regex(/^\d+(\.\d+)?$/)], { error: 'expected an amount in whole tokens' })
  .transform(String);
const share = z.number().min(0).lt(1, 'expected a number from 0 to below 1');
const text = z.string().min(1, 'expected a name');

/** A value, or several of which each is tried. */
const axis = <Value extends z.ZodType>(value: Value, what: string) =>
  z
    .union([value, z.array(value).min(1)], { error: `expected ${what}, or a list of them` })
    .transform((given) => (Array.isArray(given) ? given : [given]) as z.output<Value>[]);

/** What `data` and `model` hold beside a name is for what reads them to say. */
const data = z
  .object({ name: text })
  .catchall(z.union([z.string(), z.number(), z.boolean()], { error: 'expected text, a number, true or false' }));
const model = z
  .object({ name: text })
  .catchall(
    z.union([z.string(), z.number(), z.array(z.number())], { error: 'expected text, a number or a list of them' }),
  );

/** What an experiment's file says. Each field is described in docs/experiments.md. */
export const experimentSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'expected letters, digits, ".", "_" and "-", 100 at most'),
  title: z.string().min(1).max(300).optional(),
  seeds: axis(seed, 'a seed from 0 to 2^32 - 1'),
  commit: z.boolean().default(false),
  data,
  model,
  federation: z.strictObject({
    /** Clients that follow the protocol; left out where `grid.n` says how many there are in all. */
    honest: count.optional(),
    /** Clients that attack; "f": as many as the rule is to withstand. */
    byzantine: z
      .union([z.literal('f'), z.number().int().min(0)], { error: 'expected a whole number, or "f"' })
      .default('f'),
    sampled: count.optional(),
    rounds: z.number().int().positive().max(1_000_000),
    /** Samples above it count as it; the most that any client truthfully has unless given. */
    sampleCap: count.optional(),
    knowledge: z.enum(['omniscient', 'own'], { error: 'expected "omniscient" or "own"' }).default('omniscient'),
  }),
  grid: z.strictObject({
    rule: axis(text, 'a rule such as "Median" or "NNM+Krum"'),
    pre: axis(text, 'a pre-aggregator such as "NNM", or "none"').prefault('none'),
    attack: axis(text, 'an attack such as "SignFlipping", or "none"').prefault('none'),
    f: axis(z.number().int().min(0), 'a whole number from 0'),
    n: axis(count, 'a whole number from 1').optional(),
    partition: axis(text, 'a partition such as "iid" or "dirichlet:alpha=1"').prefault('iid'),
  }),
  training: z.strictObject({
    mode: z.enum(['gradient', 'local'], { error: 'expected "gradient" or "local"' }),
    learningRate: z.number().positive().optional(),
    batch: count,
    steps: count.optional(),
    epochs: count.optional(),
    momentum: share.default(0),
    /** What a new gradient weighs in the momentum; 1 - momentum unless given. */
    momentumWeight: z.number().positive().max(1).optional(),
    weightDecay: z.number().min(0).default(0),
    proximal: z.number().min(0).default(0),
  }),
  server: serverSchema.prefault({}),
  network: networkSchema.optional(),
  evaluation: z.strictObject({ every: count.optional() }).default({}),
  economics: z
    .strictObject({
      pot: amount.prefault('100'),
      stake: amount.prefault('100'),
      costPerClientRound: z.number().min(0).default(0),
    })
    .prefault({}),
});

/** An experiment's file, its defaults filled in. */
export type ExperimentFile = z.infer<typeof experimentSchema>;

/** Everything that is wrong with what a file says, fields by themselves first, then how they go together. */
export function experimentFindings(value: unknown): readonly ConfigFinding[] {
  const findings = configFindings(value, experimentSchema);
  return findings.length > 0 ? findings : togetherFindings(experimentSchema.parse(value));
}

function togetherFindings({ federation, grid, training, network, server }: ExperimentFile): ConfigFinding[] {
  const findings: ConfigFinding[] = [];
  const find = (field: string, message: string): number => findings.push({ field, message });
  if (federation.honest === undefined && grid.n === undefined) {
    find('federation.honest', 'it is missing: give the number of honest clients, or of all clients as grid.n');
  }
  if (federation.honest !== undefined && grid.n !== undefined) {
    find('grid.n', 'federation.honest says how many clients there are as well: give one of the two');
  }
  if (training.mode === 'gradient') {
    for (const name of ['learningRate', 'steps', 'epochs', 'proximal'] as const) {
      const isGiven = training[name] !== undefined && training[name] !== 0;
      if (isGiven) find(`training.${name}`, 'clients that send a gradient take no steps of their own: leave it out');
    }
  } else {
    if (training.learningRate === undefined) find('training.learningRate', 'it is missing: give it a value');
    if ((training.steps === undefined) === (training.epochs === undefined)) {
      find('training.steps', 'give the local steps of a round, or as training.epochs its passes over the data');
    }
  }
  if (network !== undefined && (network.synchronous === undefined) === (network.buffered === undefined)) {
    find('network.synchronous', 'say how rounds close: by [network.synchronous] or by [network.buffered], one of them');
  }
  return [...findings, ...serverFindings(server)];
}
