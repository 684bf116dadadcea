import { join } from 'node:path';
import { assignPackages, type ClientText } from '../../../client/data/package-assignment.ts';
import { openCorpus } from '../../../client/data/text-corpus.ts';
import { initialWeights } from '../../../client/trainers/tfjs/layers-model.ts';
import { createTfjsTrainer, type TfjsTrainer } from '../../../client/trainers/tfjs/tfjs-trainer.ts';
import { packageRoot } from '../../../contracts/package-root.ts';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { DEFAULT_FRACTION_BITS, LEARNING_RATE_BITS } from '../../../shared/fixed-point/constants.ts';
import { type Layout, layoutOf } from '../../../shared/fixed-point/layout.ts';
import { decodeModel, encodeModel } from '../../../shared/fixed-point/model.ts';
import { serverStep } from '../../../shared/fixed-point/server-step.ts';
import { encodeUpdate, largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { nextUpdateBits } from '../../../shared/fixed-point/update-bits.ts';
import { createRng } from '../../../shared/rng.ts';
import { nextCharacterJob } from '../../demo/next-character.ts';
import type { Progress } from '../report.ts';

/** What honest clients, who really train, sent in one round. */
export interface RealRound {
  /** Round number, from 1. */
  readonly round: number;
  /** Scale of the updates. */
  readonly updateBits: number;
  /** Parameters of the model: coordinates that are not padding come first in no other order than the layout's. */
  readonly layout: Layout;
  /** One update a client, each from data of its own. */
  readonly honest: readonly Int16Array[];
  /** An update from the first client's data in batches of its own. */
  readonly sameData: Int16Array;
  /** The first client's training again, to the bit, rounded anew. */
  readonly sameTraining: Int16Array;
  /** The training of one more honest client, at twice its length. */
  readonly doubled: Int16Array;
  /** What everybody knows of the round before: its scale, aggregate and updates; null in round 1. */
  readonly before: {
    readonly updateBits: number;
    readonly aggregate: Int32Array;
    readonly honest: Int16Array[];
  } | null;
}

/** How rounds are played. */
export interface RealRoundsOptions {
  /** Honest clients. */
  readonly clients: number;
  /** Rounds. */
  readonly rounds: number;
  /** Seed of everything random. */
  readonly seed: number;
}

/**
 * Plays rounds of the demonstration's job in one process: clients train on the documentation of installed packages, the
 * model moves by the trimmed mean of the honest.
 *
 * @throws DataError, TrainerError
 */
export async function playRealRounds(options: RealRoundsOptions, progress: Progress): Promise<RealRound[]> {
  const { clients, rounds, seed } = options;
  const texts = await assignPackages(join(packageRoot(), 'node_modules'), clients + 1);
  const trainers: TfjsTrainer[] = [];
  try {
    for (const text of texts) trainers.push(await openTrainer(text));
    const layout = layoutOf(
      (trainers[0] as TfjsTrainer).tensors.map(({ name, shape }) => ({
        ...{ name, shape: [...shape], fractionBits: DEFAULT_FRACTION_BITS, preScaleBits: 0 },
      })),
    );
    let model = encodeModel(layout, await initialWeights(nextCharacterJob.architecture, seed)).vector;
    let updateBits = nextCharacterJob.initialUpdateBits;
    const played: RealRound[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}: ${clients + 2} clients train`);
      const global = decodeModel(layout, model);
      const train = async (client: number, draw: number): Promise<Float32Array[]> => {
        const task = { weights: global, seed: createRng(seed, `${round}/${draw}`).nextUint32(), round };
        return (await (trainers[client] as TfjsTrainer).train(task)).update;
      };
      const encode = (update: readonly Float32Array[], draw: string): Int16Array =>
        encodeUpdate(layout, update, updateBits, createRng(seed, `${round}/${draw}`)).vector;
      const trained: Float32Array[][] = [];
      for (let client = 0; client < clients; client++) trained.push(await train(client, client));
      const honest = trained.map((update, client) => encode(update, `rounding/${client}`));
      const more = encode(await train(clients, clients), 'rounding/more');
      const last = played.at(-1);
      const { aggregate } = trimmedMean(honest);
      played.push({
        ...{ round, updateBits, layout, honest },
        sameData: encode(await train(0, clients + 1), 'rounding/same data'),
        sameTraining: encode(trained[0] as Float32Array[], 'rounding/same training'),
        doubled: more.map((value) => Math.max(-8191, Math.min(8191, 2 * value))),
        before: last
          ? { updateBits: last.updateBits, aggregate: trimmedMean(last.honest).aggregate, honest: [...last.honest] }
          : null,
      });
      const step = { name: 'FedAvg', learningRate: 2 ** LEARNING_RATE_BITS } as const;
      model = serverStep(layout, { model, state: null }, aggregate, updateBits, step).model;
      updateBits = nextUpdateBits(updateBits, honest.map(largestMagnitude));
    }
    return played;
  } finally {
    for (const trainer of trainers) trainer.dispose();
  }
}

async function openTrainer({ folders }: ClientText): Promise<TfjsTrainer> {
  const { architecture, training, contextLength, heldOutSamples } = nextCharacterJob;
  const data = await openCorpus(folders, { kind: 'documentation', contextLength, heldOutSamples });
  return createTfjsTrainer({ architecture, training, data });
}

function trimmedMean(rows: readonly Int16Array[]) {
  const f = Math.floor((rows.length - 1) / 4);
  return aggregateIntegers(
    rows,
    { rule: 'TrMean', pre: [], f, params: {} },
    rows.map(() => 1),
  );
}
