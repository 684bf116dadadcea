import type { Hex } from '../../shared/bytes.ts';

/** What the chain says about a job that an agent found. Amounts are in the smallest unit of the job's token. */
export interface JobView {
  /** Its identifier in the Registry. */
  readonly id: Hex;
  /** Its RoundAnchor, lower case. */
  readonly anchor: Hex;
  /** Hash of its manifest. */
  readonly manifestHash: Hex;
  /** Who signed its registration, lower case; undefined where nobody can be named. */
  readonly registrant: Hex | undefined;
  /** Who anchors its rounds now, lower case. */
  readonly coordinator: Hex;
  /** The token it pays and is staked in, lower case. */
  readonly token: Hex;
  /** Pot of a round. */
  readonly pricePerRound: bigint;
  /** Its last round. */
  readonly rounds: number;
  /** Rounds anchored so far. */
  readonly anchored: number;
  /** What its vault holds that no round has earned yet. */
  readonly unearned: bigint;
  /** Least stake of a participant; 0 in a job without a court. */
  readonly minStake: bigint;
  /** What the agent has staked in it. */
  readonly staked: bigint;
  /** Whether the agent is leaving it: who leaves cannot take part. */
  readonly isLeaving: boolean;
  /** Whether its contracts for stakes are this product's; true where there are none. */
  readonly isGenuine: boolean;
  /** Where its coordinator is; undefined where nobody has said. */
  readonly coordinatorUrl: string | undefined;
}

/** What a job's manifest says that an agent decides by. */
export interface WorkView {
  /** Kind of the task. */
  readonly task: string;
  /** Batches of a round, where the manifest says so. */
  readonly steps: number | undefined;
  /** Passes over the data in a round, where it says so. */
  readonly epochs: number | undefined;
  /** Examples in a batch, where it says so. */
  readonly batchSize: number | undefined;
  /** Parameters of the model. */
  readonly parameters: number;
  /** Participants that a round's pot is shared among, as far as is known beforehand. */
  readonly sharers: number;
  /** Whether the agent may take part: everybody may, or it is listed. */
  readonly isAdmitted: boolean;
  /** Bytes of data that the job publishes for those who have none; undefined where it publishes none. */
  readonly publishedBytes: number | undefined;
}

/** What an agent knows of itself when it decides. */
export interface AgentView {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** RoundAnchors of the jobs it takes part in now. */
  readonly running: readonly Hex[];
  /** RoundAnchors of the jobs it has done with: they had ended, or had failed. */
  readonly ended: readonly Hex[];
  /** What it has staked in all jobs, by token. */
  readonly stakedByToken: ReadonlyMap<Hex, bigint>;
  /** What it holds and has not staked, by token. */
  readonly balances: ReadonlyMap<Hex, bigint>;
}
