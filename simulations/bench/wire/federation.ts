import { createMemoryCarry } from '../../../client/encoding/memory-carry.ts';
import type { PrivacyGuard } from '../../../client/privacy/privacy-guard.ts';
import { trainUpdate } from '../../../client/runner/train-update.ts';
import type { LayersArchitecture } from '../../../client/trainers/tfjs/architecture.ts';
import { initialWeights } from '../../../client/trainers/tfjs/layers-model.ts';
import { createTfjsTrainer, type TfjsTrainer } from '../../../client/trainers/tfjs/tfjs-trainer.ts';
import type { TrainingSettings } from '../../../client/trainers/tfjs/training-settings.ts';
import type { TrainingData } from '../../../client/trainers/training-data.ts';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import type { RuleSpec } from '../../../shared/aggregation/registry.ts';
import { utf8, ZERO_HASH } from '../../../shared/bytes.ts';
import { int16Vector, PART_BYTES } from '../../../shared/commitments/vector-trees.ts';
import { DEFAULT_FRACTION_BITS, LEARNING_RATE_BITS } from '../../../shared/fixed-point/constants.ts';
import { decodeModel, encodeModel } from '../../../shared/fixed-point/model.ts';
import { serverStep } from '../../../shared/fixed-point/server-step.ts';
import { largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { nextUpdateBits } from '../../../shared/fixed-point/update-bits.ts';
import { type JobTerms, jobTerms } from '../../../shared/round/job-terms.ts';
import { parseManifest } from '../../../shared/round/manifest.ts';
import { wireFormat } from '../../../shared/wire/wire-format.ts';
import type { WireTerms } from '../../../shared/wire/wire-terms.ts';

/** A federation to be played. */
export interface FederationOptions {
  /** The model. */
  readonly architecture: LayersArchitecture;
  /** How clients train in a round. */
  readonly training: TrainingSettings;
  /** Each client's data; all have the same held-out part. */
  readonly data: readonly TrainingData[];
  /** How updates become one. */
  readonly rule: RuleSpec;
  /** How updates travel. */
  readonly wire: WireTerms;
  /** Rounds. */
  readonly rounds: number;
  /** Seed of everything random. */
  readonly seed: number;
  /** The scale of the first round; default 12. */
  readonly initialUpdateBits?: number;
  /** Makes a client's updates private; left out, they are sent as they were learnt. */
  readonly guard?: (client: number) => PrivacyGuard;
}

/** What came of it. */
export interface PlayedFederation {
  /** Share of the held-out examples that the last model answers rightly. */
  readonly accuracy: number;
  /** Bytes of one update on the way, mean over clients and rounds. */
  readonly bytesPerUpdate: number;
  /** Coordinates in an update, padding included. */
  readonly dimension: number;
}

const INITIAL_UPDATE_BITS = 12;
const ALL_QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Plays rounds in one process, by the clients' own code and the round's own arithmetic, on the WASM backend: the same
 * options give the same result, bit for bit.
 *
 * @throws TrainerError
 */
export async function playFederation(options: FederationOptions): Promise<PlayedFederation> {
  const { architecture, training, data, rule, wire, rounds, seed } = options;
  const trainers: TfjsTrainer[] = [];
  try {
    for (const own of data) {
      trainers.push(await createTfjsTrainer({ architecture, training, data: own, backend: 'wasm' }));
    }
    const [first] = trainers as [TfjsTrainer, ...TfjsTrainer[]];
    const terms = termsOf(first, wire, rounds);
    const { layout } = terms;
    const format = wireFormat(wire);
    const carries = trainers.map(() => createMemoryCarry());
    let model = encodeModel(layout, await initialWeights(architecture, seed)).vector;
    const guards = trainers.map((_, client) => options.guard?.(client));
    let updateBits = options.initialUpdateBits ?? INITIAL_UPDATE_BITS;
    let bytes = 0;
    for (let round = 1; round <= rounds; round++) {
      const plan = { round, attempt: 0, parentRoot: ZERO_HASH, updateBits, seedIndex: round };
      const rows: Int16Array[] = [];
      for (const [client, trainer] of trainers.entries()) {
        const carry = carries[client] as (typeof carries)[number];
        const local = { trainer, datasetCommitment: ZERO_HASH };
        const { signal } = new AbortController();
        const privacy = guards[client];
        const own = { seed: utf8(`${seed}/${client}`), carry, privacy, log: ALL_QUIET, signal };
        const vector = int16Vector((await trainUpdate(terms, local, plan, model, own)).bytes);
        for (let start = 0; start < vector.length; start += PART_BYTES / 2) {
          const part = vector.subarray(start, start + PART_BYTES / 2);
          bytes += format ? format.encodePart(part).length : part.byteLength;
        }
        rows.push(vector);
      }
      const { aggregate } = aggregateIntegers(
        rows,
        rule,
        rows.map(() => 1),
      );
      const step = { name: 'FedAvg', learningRate: 2 ** LEARNING_RATE_BITS } as const;
      model = serverStep(layout, { model, state: null }, aggregate, updateBits, step).model;
      updateBits = nextUpdateBits(updateBits, rows.map(largestMagnitude));
    }
    const { correct, total } = await first.evaluate(decodeModel(layout, model));
    const bytesPerUpdate = bytes / (rounds * trainers.length);
    return { accuracy: correct / total, bytesPerUpdate, dimension: layout.dimension };
  } finally {
    for (const trainer of trainers) trainer.dispose();
  }
}

function termsOf({ tensors }: TfjsTrainer, wire: WireTerms, rounds: number): JobTerms {
  const listed = tensors.map(({ name, shape }) => ({
    ...{ name, shape: [...shape], fractionBits: DEFAULT_FRACTION_BITS, preScaleBits: 0 },
  }));
  const manifest = parseManifest({
    ...{ version: 1, name: 'bench wire', tensors: listed, wire, rounds },
    task: { kind: 'none', architecture: null, training: null, data: null },
    aggregation: {
      ...{ rule: { rule: 'Average', pre: [], f: 0, params: {} }, sampleCap: 1 },
      serverStep: { name: 'FedAvg', learningRate: 2 ** LEARNING_RATE_BITS },
    },
    participation: { admission: 'open', expected: 1, quorum: 1, deadlineMs: 60_000, retries: 0 },
    ...{ rewards: { pricePerRound: '0' }, chain: { windowTicks: 1 }, disclosure: 'public', retentionS: 0 },
    initialUpdateBits: INITIAL_UPDATE_BITS,
    ...{ initialModelRoot: ZERO_HASH, seedCommitment: ZERO_HASH },
  });
  // A job's hash goes into its clients' random choices: under one for all formats, all train on the same batches.
  return { ...jobTerms(manifest), job: ZERO_HASH };
}
