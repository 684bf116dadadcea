import { toHex } from '../../shared/bytes.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import { vectorBytes } from '../../shared/commitments/vector-trees.ts';
import type { Dataset } from '../data/dataset.ts';
import type { CurvePoint, RunResult } from '../experiment/run-result.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import type { OpenRun } from './open-run.ts';
import type { PlayedRound } from './play-round.ts';
import { diverged } from './simulation-error.ts';
import { createTally, type Tally } from './tally.ts';

/** What a run has come to so far, so that it can be told wherever it ends. */
export class Chronicle {
  readonly #spec: RunSpec;
  readonly #dataHash: string;
  readonly #tally: Tally;
  readonly #curve: CurvePoint[] = [];
  readonly #byzantineWeight: (number | null)[] = [];
  #traffic: { atDeadline: number; late: number; dropped: number; attempts: number } = {
    ...{ atDeadline: 0, late: 0, dropped: 0, attempts: 0 },
  };
  #updates = 0;
  #staleness = 0;
  #bytesUp = 0;
  #bytesDown = 0;
  #seconds: number | null = null;
  #trainLoss: number | null = null;
  #headHash: string | null = null;
  #model: Int32Array | null = null;

  constructor(spec: RunSpec, dataset: Dataset) {
    this.#spec = spec;
    this.#dataHash = dataset.contentHash;
    this.#tally = createTally(spec.honest, spec.byzantine);
    if (spec.network !== null) this.#seconds = 0;
  }

  /** Takes a round. */
  add({ layout, models, rounds }: OpenRun, { clients, closed, trainLoss, staleness, traffic }: PlayedRound): void {
    this.#tally.add(clients, closed);
    this.#trainLoss = trainLoss;
    this.#updates += clients.length;
    this.#staleness += staleness;
    this.#bytesUp += traffic?.bytesUp ?? clients.length * layout.dimension * 2;
    this.#bytesDown += traffic?.bytesDown ?? clients.length * layout.dimension * 4;
    if (traffic !== null) {
      this.#seconds = traffic.endedAt;
      this.#traffic.atDeadline += traffic.closing === 'deadline' ? 1 : 0;
      this.#traffic.late += traffic.late;
      this.#traffic.dropped += traffic.dropped;
      this.#traffic.attempts += traffic.attempts - 1;
    }
    this.#headHash = rounds.head();
    this.#model = models.newest;
  }

  /**
   * Tests the model.
   *
   * @throws SimulationError `simulation/diverged` if its loss is no number
   */
  async test({ learner, dataset, models, attackers }: OpenRun, round: number): Promise<void> {
    this.#model = models.newest;
    const { correct, total, lossSum } = await learner.evaluate(dataset.test, models.weights);
    const loss = lossSum / total;
    if (!Number.isFinite(loss)) {
      throw diverged(`the test loss after round ${round} is ${loss}: take a smaller learning rate`, { round });
    }
    const { triggered } = attackers;
    const backdoor = triggered === null ? null : await learner.evaluate(triggered, models.weights);
    this.#curve.push({
      ...{ round, accuracy: correct / total, loss, trainLoss: this.#trainLoss },
      ...(backdoor !== null && { backdoor: backdoor.correct / Math.max(1, backdoor.total) }),
      ...{ bytesUp: this.#bytesUp, bytesDown: this.#bytesDown, seconds: this.#seconds },
    });
    this.#byzantineWeight.push(this.#tally.byzantineWeight());
  }

  /** What the run gave. */
  result(outcome: RunResult['outcome'], reason?: RunResult['reason']): RunResult {
    const accuracies = this.#curve.map(({ accuracy }) => accuracy);
    return {
      outcome,
      ...(reason && { reason }),
      curve: this.#curve,
      finalAccuracy: accuracies.at(-1) ?? 0,
      bestAccuracy: Math.max(0, ...accuracies),
      kinds: this.#tally.kinds(),
      earnedByClient: this.#tally.earnedByClient(),
      byzantineWeight: this.#byzantineWeight,
      traffic:
        this.#spec.network === null
          ? null
          : { ...this.#traffic, meanStaleness: this.#updates === 0 ? 0 : this.#staleness / this.#updates },
      modelHash: this.#model === null ? '' : toHex(sha256Digest(vectorBytes(this.#model))),
      headHash: this.#headHash,
      dataHash: this.#dataHash,
    };
  }
}
