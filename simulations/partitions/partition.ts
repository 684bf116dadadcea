import type { Parameter, Params } from '../../shared/aggregation/rule.ts';
import type { Rng } from '../../shared/rng.ts';

/** What is cut. */
export interface PartitionTask {
  /** One class an example. */
  readonly labels: Int32Array;
  /** Classes. */
  readonly classes: number;
  /** One natural group an example, where there are such groups. */
  readonly groups?: Int32Array;
  /** Clients to cut among. */
  readonly clients: number;
}

/** A way to cut examples among clients: pure, the same seed gives the same cut. */
export interface Partition {
  /** Canonical name. */
  readonly name: string;
  /** Other names it answers to. */
  readonly aliases: readonly string[];
  /** What it does, in one sentence. */
  readonly summary: string;
  /** The paper that describes it. */
  readonly source: string;
  /** What it takes. */
  readonly parameters: readonly Parameter[];
  /**
   * Positions of each client's examples, ascending within a client; no example twice.
   *
   * @throws PartitionError if the examples cannot be cut so
   */
  cut(task: PartitionTask, params: Params, rng: Rng): Int32Array[];
}
