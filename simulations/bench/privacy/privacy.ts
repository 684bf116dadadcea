import { openLabelledRecords } from '../../../client/data/labelled-records.ts';
import { noiseWithin } from '../../../client/privacy/accountant.ts';
import { createPrivacyGuard, type PrivacyGuard } from '../../../client/privacy/privacy-guard.ts';
import type { PrivacyLedger } from '../../../client/privacy/privacy-ledger.ts';
import { uniformIntegers } from '../../../client/privacy/uniform-integers.ts';
import type { LayersArchitecture } from '../../../client/trainers/tfjs/architecture.ts';
import type { TrainingSettings } from '../../../client/trainers/tfjs/training-settings.ts';
import { createRng } from '../../../shared/rng.ts';
import type { BenchReport, Progress } from '../report.ts';
import { renderTable } from '../table.ts';
import { dealData } from '../wire/deal.ts';
import { playFederation } from '../wire/federation.ts';

/** What `bench privacy` is asked. */
export interface PrivacyBenchOptions {
  /** Folder or file with the digits of scikit-learn: 64 numbers from 0 to 16 and the label in each line, no header. */
  readonly data: string;
  /** Clients. */
  readonly clients: number;
  /** Rounds. */
  readonly rounds: number;
  /** Budgets of a client for all rounds. */
  readonly epsilons: readonly number[];
  /** Delta of each budget. */
  readonly delta: number;
  /** Largest norm of an update. */
  readonly clip: number;
  /** How often each budget is played, from another seed each time. */
  readonly seeds: number;
}

/** Multinomial regression: 650 parameters. */
const ARCHITECTURE: LayersArchitecture = {
  class_name: 'Sequential',
  config: {
    name: 'digits',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'logits', units: 10, activation: 'linear', batch_input_shape: [null, 64], dtype: 'float32' },
      },
    ],
  },
};

const TRAINING: TrainingSettings = { optimizer: 'sgd', learningRate: 0.5, momentum: 0, batchSize: 32, steps: 20 };

/** Scale of the first round: coarse enough for the noise of every budget worth measuring; later ones follow from it. */
const INITIAL_UPDATE_BITS = 4;

const NOTHING_SPENT = 'no noise';

/**
 * Measures what local differential privacy costs in accuracy, on real digits, by the clients' own code: the budget is spent
 * evenly over the rounds. The noise is drawn from seeds here, so that the figures repeat.
 *
 * @throws DataError, TrainerError, PrivacyError
 */
export async function benchPrivacy(options: PrivacyBenchOptions, progress: Progress): Promise<BenchReport> {
  const { clients, rounds, seeds, delta, clip } = options;
  const whole = await openLabelledRecords([options.data], {
    ...{ format: 'csv', inputShape: [64], classes: 10, header: false, label: 64 },
    scale: { mean: 0, deviation: 16 },
  });
  try {
    const data = dealData(whole, clients, whole.samples);
    const budgets: (number | undefined)[] = [undefined, ...options.epsilons];
    const played: { epsilon: number | undefined; noise: number; seed: number; accuracy: number }[] = [];
    for (const epsilon of budgets) {
      const noise = epsilon === undefined ? 0 : noiseWithin(epsilon, delta, rounds);
      for (let seed = 1; seed <= seeds; seed++) {
        const common = { architecture: ARCHITECTURE, training: TRAINING, data, rounds, seed };
        const { accuracy } = await playFederation({
          ...common,
          ...{ rule: { rule: 'Average', pre: [], f: 0, params: {} }, wire: { format: 'int16' } },
          ...(epsilon === undefined
            ? {}
            : {
                initialUpdateBits: INITIAL_UPDATE_BITS,
                guard: (client: number) => guardOf({ clip, noise, epsilon, delta }, `${seed}/${client}`),
              }),
        });
        progress(`epsilon ${epsilon ?? 'unlimited'}, seed ${seed} of ${seeds}: ${percent(accuracy)}`);
        played.push({ epsilon, noise, seed, accuracy });
      }
    }
    const rows = budgets.map((epsilon) => {
      const own = played.filter((one) => one.epsilon === epsilon);
      const accuracies = own.map(({ accuracy }) => accuracy);
      const spread = `${percent(Math.min(...accuracies))} to ${percent(Math.max(...accuracies))}`;
      const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
      const noise = own[0]?.noise ?? 0;
      return [epsilon === undefined ? NOTHING_SPENT : String(epsilon), noise.toFixed(2), percent(mean), spread];
    });
    const text = [
      renderTable(['epsilon', 'noise / clip', 'accuracy', 'over seeds'], rows),
      '',
      `mean of ${clients} clients of ${data[0]?.samples} examples each, ${rounds} rounds of ${TRAINING.steps} steps, ${seeds} seeds;`,
      `clip ${clip}, delta ${delta}, the budget for all rounds; accuracy of the last model on ${whole.heldOutSamples} held-out digits`,
    ].join('\n');
    return { text, document: { options, played } };
  } finally {
    whole.close();
  }
}

function guardOf(privacy: Parameters<typeof createPrivacyGuard>[0]['privacy'], seed: string): PrivacyGuard {
  const rng = createRng(new TextEncoder().encode(seed), 'bench-noise');
  return createPrivacyGuard({ privacy, ledger: ledgerInMemory(), random: uniformIntegers(() => rng.nextUint32()) });
}

function ledgerInMemory(): PrivacyLedger {
  let total = 0;
  return {
    spent: async () => total,
    spend: async ({ rho }, most) => {
      if (total + rho > most) return undefined;
      total += rho;
      return total;
    },
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
