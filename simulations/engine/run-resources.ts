import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Learner } from '../models/learner.ts';
import type { RecordFacts } from './run-rounds.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What a run needs beside its specification. */
export interface RunResources {
  /** The data. */
  readonly dataset: Dataset;
  /** The model. */
  readonly learner: Learner;
  /** What aggregates: production's engine. */
  readonly engine: AggregationEngine;
  /** An empty folder for the state of clients that does not fit in memory. */
  readonly folder: string;
  /** What paths in the specification are relative to. */
  readonly baseFolder: string;
  /** Bytes of clients' vectors that stay in memory whatever the number of clients; 256 MiB unless given. */
  readonly stateBytes?: number;
}

/** What a run tells while it goes on, and what may end it. */
export interface RunHooks {
  /** Told after every round. */
  onRound?(round: number, rounds: number): void;
  /** Ends the run, which rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told what the run is at. */
  readonly stopwatch?: Stopwatch;
  /** Told every record of a run that is committed to; what it is made of holds for the call only. */
  onRecord?(record: RoundRecord, facts: RecordFacts): void;
}
