import { createWallet, type Signer } from '../../contracts/wallet.ts';
import type { ManifestDraft } from '../../coordinator/job-folder.ts';
import { fromHex, type Hex } from '../../shared/bytes.ts';
import { layoutOf } from '../../shared/fixed-point/layout.ts';
import { encodeModel } from '../../shared/fixed-point/model.ts';
import { createRng } from '../../shared/rng.ts';
import { hash } from '../coordinator/fixture.ts';

/** A party with its key, which its process is given. */
export interface Party {
  readonly key: Hex;
  readonly signer: Signer;
}

function party(name: string): Party {
  const key = hash(`crash key of ${name}`);
  return { key, signer: createWallet(key) };
}

export const OPERATOR: Party = party('the operator');
export const SPONSOR: Party = party('the sponsor');
export const PARTICIPANTS: readonly Party[] = ['one', 'two', 'three'].map(party);

/** Starts every chain of seeds, so that all runs of one job are the same job. */
export const SEED_SECRET: Uint8Array = fromHex(hash('crash secret'));

/** Longer than any test takes, by the chain's clock too. */
export const RETENTION_S = 86_400;

/** Pot of a round. */
const PRICE_PER_ROUND = 10n ** 18n;

/**
 * A job in which everybody must answer every round, so that whatever crashes, the admitted sets are the same.
 *
 * @param parts - parts that an update is uploaded in: one for a model of 340 numbers, more for one that is large for it
 */
export function crashJob(rounds: number, parts = 1): { draft: ManifestDraft; model: Int32Array } {
  const columns = parts === 1 ? 20 : 2 ** 15 * parts - 2 ** 12;
  const tensors = [
    { name: 'kernel', shape: [16, columns], fractionBits: 24, preScaleBits: 0 },
    { name: 'bias', shape: [20], fractionBits: 24, preScaleBits: 0 },
  ];
  const rng = createRng(11, 'model');
  const weights = tensors.map(({ shape }) =>
    Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => rng.nextFloat() - 0.5),
  );
  const draft: ManifestDraft = {
    name: 'crash matrix',
    tensors,
    task: { kind: 'drift', architecture: null, training: null, data: null },
    aggregation: {
      rule: { rule: 'TrMean', pre: [], f: 1, params: {} },
      sampleCap: 1000,
      serverStep: { name: 'FedAvg', learningRate: 65_536 },
    },
    rounds,
    participation: {
      admission: PARTICIPANTS.map(({ signer }) => signer.address),
      expected: PARTICIPANTS.length,
      quorum: PARTICIPANTS.length,
      // Long enough that no deadline passes, whatever the machine is busy with.
      deadlineMs: 600_000,
      retries: 4,
    },
    rewards: { pricePerRound: String(PRICE_PER_ROUND) },
    chain: { windowTicks: 1 },
    disclosure: 'public',
    retentionS: RETENTION_S,
    initialUpdateBits: 12,
  };
  return { draft, model: encodeModel(layoutOf(tensors), weights).vector };
}
