import { openLabelledRecords } from '../../../client/data/labelled-records.ts';
import type { LayersArchitecture } from '../../../client/trainers/tfjs/architecture.ts';
import type { TrainingSettings } from '../../../client/trainers/tfjs/training-settings.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import type { WireTerms } from '../../../shared/wire/wire-terms.ts';
import type { BenchReport, Progress } from '../report.ts';
import { renderTable } from '../table.ts';
import { dealData } from './deal.ts';
import { type PlayedFederation, playFederation } from './federation.ts';

/** What `bench wire` is asked. */
export interface WireOptions {
  /** Folder with images and labels in the IDX format, as MNIST and Fashion-MNIST come. */
  readonly data: string;
  /** Clients. */
  readonly clients: number;
  /** Rounds. */
  readonly rounds: number;
  /** How often each format is played, from another seed each time. */
  readonly seeds: number;
  /** The aggregation rule; the mean, or one for the usual number of liars: one in four, less one. */
  readonly rule: string;
}

/** Every format, without and with error feedback. */
const WIRES: readonly WireTerms[] = [
  { format: 'int16' },
  { format: 'int8' },
  { format: 'int4' },
  { format: 'topk', keepPerMille: 100 },
  { format: 'topk', keepPerMille: 10 },
].flatMap((wire) => [wire, { ...wire, errorFeedback: true }]) as WireTerms[];

/** 784 pixels, 64 hidden units, 10 classes: 50,890 parameters. */
const ARCHITECTURE: LayersArchitecture = {
  class_name: 'Sequential',
  config: {
    name: 'pixels',
    layers: [
      { class_name: 'Flatten', config: { name: 'flat', batch_input_shape: [null, 28, 28, 1], dtype: 'float32' } },
      { class_name: 'Dense', config: { name: 'hidden', units: 64, activation: 'relu' } },
      { class_name: 'Dense', config: { name: 'logits', units: 10, activation: 'linear' } },
    ],
  },
};

const TRAINING: TrainingSettings = {
  optimizer: 'momentum',
  learningRate: 0.05,
  momentum: 0.9,
  batchSize: 32,
  steps: 20,
};

/** Examples of one client. */
const MOST_EXAMPLES = 2000;

/**
 * Measures what each wire format costs in accuracy and saves in bytes, on real images, by the clients' own code. Each format
 * is played from the same seeds: the same initial model, batches and examples.
 *
 * @throws DataError, TrainerError, RuleError
 */
export async function benchWire(options: WireOptions, progress: Progress): Promise<BenchReport> {
  const { clients, rounds, seeds } = options;
  const f = options.rule === 'Average' ? 0 : Math.floor((clients - 1) / 4);
  const rule = parseRuleSpec({ rule: options.rule, f });
  const whole = await openLabelledRecords([options.data], {
    ...{ format: 'idx', inputShape: [28, 28, 1], classes: 10, part: 'train', heldOutPart: 't10k' },
  });
  try {
    const data = dealData(whole, clients, MOST_EXAMPLES);
    const played: { readonly wire: WireTerms; readonly seed: number; readonly result: PlayedFederation }[] = [];
    for (const wire of WIRES) {
      for (let seed = 1; seed <= seeds; seed++) {
        const common = { architecture: ARCHITECTURE, training: TRAINING, data, rule, rounds };
        const result = await playFederation({ ...common, wire, seed });
        progress(`${nameOf(wire)}, seed ${seed} of ${seeds}: ${percent(result.accuracy)}`);
        played.push({ wire, seed, result });
      }
    }
    const rows = WIRES.map((wire) => {
      const results = played.filter((one) => one.wire === wire).map(({ result }) => result);
      const { mean, deviation } = momentsOf(results.map(({ accuracy }) => accuracy));
      const { mean: bytes } = momentsOf(results.map(({ bytesPerUpdate }) => bytesPerUpdate));
      const plain = 2 * (results[0]?.dimension ?? 0);
      return [
        nameOf(wire),
        percent(mean),
        (100 * deviation).toFixed(2),
        String(Math.round(bytes)),
        `${(plain / bytes).toFixed(1)}x`,
      ];
    });
    const text = [
      renderTable(['wire format', 'accuracy', '+-', 'bytes an update', 'shorter by'], rows),
      '',
      `${rule.rule}, ${clients} clients of ${data[0]?.samples} examples each, ${rounds} rounds of ${TRAINING.steps} steps, ${seeds} seeds;`,
      'accuracy of the last model on the held-out images, +- the standard deviation over seeds, in points',
    ].join('\n');
    return { text, document: { options, rule, played } };
  } finally {
    whole.close();
  }
}

function nameOf(wire: WireTerms): string {
  const share = wire.format === 'topk' ? ` ${wire.keepPerMille / 10}%` : '';
  return `${wire.format}${share}${wire.errorFeedback ? ', error feedback' : ''}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

/** Mean and standard deviation (of a sample; 0 for one value). */
function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}
