import type { ServerStep } from '../../shared/fixed-point/server-step-settings.ts';

/** A name with its parameters, such as `ALIE:tau=1.5`. */
export interface Named {
  /** Canonical name, or the path of the file that defines it (it begins with `./`, `../` or `/`). */
  readonly name: string;
  /** All of its parameters. */
  readonly params: Readonly<Record<string, number | string>>;
}

/** A distribution of positive numbers over clients or rounds. */
export type Distribution =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly least: number; readonly most: number }
  | { readonly kind: 'lognormal'; readonly median: number; readonly sigma: number }
  | { readonly kind: 'exponential'; readonly mean: number };

/** How clients and their links behave, on a virtual clock (docs/network-simulation.md). */
export interface NetworkSpec {
  /** Seconds that a client takes for one example; drawn once a client. */
  readonly secondsPerExample: Distribution;
  /** Bytes a second from the coordinator; drawn once a client. */
  readonly downBytesPerSecond: Distribution;
  /** Bytes a second to the coordinator; drawn once a client. */
  readonly upBytesPerSecond: Distribution;
  /** Seconds a message takes, each way; drawn for every piece of a client's work. */
  readonly latencySeconds: Distribution;
  /** Chance that a client that was asked never answers in a round. */
  readonly dropout: number;
  /** Chance that a client trains more slowly in a round, and the factor. */
  readonly straggler: { readonly chance: number; readonly factor: number };
  /** Seconds from the end of collection until the next round opens: aggregation and anchoring. Absent: none. */
  readonly coordinatorSeconds?: number;
  /** How rounds close. */
  readonly mode: SynchronousMode | BufferedMode;
}

/** Rounds close when all who were asked have answered, or at a deadline: a manifest's `participation` without `buffer`. */
export interface SynchronousMode {
  /** Discriminates the union. */
  readonly kind: 'synchronous';
  /** Updates below which a round is tried again. */
  readonly quorum: number;
  /** The longest a round stays open. */
  readonly deadlineSeconds: number;
  /** How many more than `RunSpec.sampled` are asked; the round closes with `sampled` updates. Absent: none. */
  readonly extra?: number;
  /** How many attempts below the quorum a run bears. Absent: 1,000. */
  readonly retries?: number;
  /** Deadlines that follow participants' times; absent: always `deadlineSeconds`. */
  readonly pace?: {
    /** The shortest time that a round waits. */
    readonly leastSeconds: number;
    /** Which of a participant's recent times counts: 50 to 100, which is the longest. */
    readonly quantilePercent: number;
    /** What that time is multiplied by. */
    readonly slackPercent: number;
    /** How many of its answers count as recent. */
    readonly window: number;
    /** Whether an answer that came too late counts as one. */
    readonly late: 'credited' | 'ignored';
  };
}

/** FedBuff: a round closes with so many updates, of models that may be older than its own. */
export interface BufferedMode {
  /** Discriminates the union. */
  readonly kind: 'buffered';
  /** Updates that a round takes. */
  readonly size: number;
  /** How many rounds old the model may be that an update was trained from. */
  readonly maxStaleness: number;
  /** Clients that are at work at a time. */
  readonly concurrency: number;
}

/** One run, everything decided: plain JSON, so that it can be hashed, sent to another machine and repeated. */
export interface RunSpec {
  /** The data, as the experiment names it: read by `openDataset`. */
  readonly data: Readonly<Record<string, string | number | boolean>> & { readonly name: string };
  /** The model: read by `openLearner`. */
  readonly model: Readonly<Record<string, string | number | readonly number[]>> & { readonly name: string };
  /** How data are cut among the honest clients, such as `{ name: 'dirichlet', params: { alpha: 1 } }`. */
  readonly partition: Named;
  /** Clients that follow the protocol. */
  readonly honest: number;
  /** Clients that attack. */
  readonly byzantine: number;
  /** Participants asked in a round, honest and Byzantine together; null: all. */
  readonly sampled: number | null;
  /** What the Byzantine do; null where they only count as clients that do nothing wrong. */
  readonly attack: Named | null;
  /** What the attackers know: all honest updates, or only those they would have sent themselves. */
  readonly knowledge: 'omniscient' | 'own';
  /** Rule with pre-aggregators, f and parameters, in the grammar of `parseRuleSpec`; or the file of an own rule. */
  readonly rule: {
    readonly pre: readonly string[];
    readonly rule: string;
    readonly f: number;
    readonly params: Readonly<Record<string, string | number>>;
  };
  /** Samples above this count as this many, as in a manifest; absent: the most that any client truthfully has. */
  readonly sampleCap?: number;
  /** Rounds. */
  readonly rounds: number;
  /** What clients do in a round. */
  readonly training: {
    /** `gradient`: one batch's gradient is sent; `local`: the difference that local steps made. */
    readonly mode: 'gradient' | 'local';
    /** Local learning rate; without meaning for `gradient`. */
    readonly learningRate: number;
    /** Examples a batch. */
    readonly batch: number;
    /** Local steps; null: `epochs` decides. */
    readonly steps: number | null;
    /** Local epochs; null: `steps` decides. */
    readonly epochs: number | null;
    /** beta of worker momentum `m = beta m' + (1 - beta) u`, 0 for none. */
    readonly momentum: number;
    /** 1: `m = beta m' + u` in place of `m = beta m' + (1 - beta) u` (the convention of some papers); else 1 - beta. */
    readonly momentumWeight: number;
    /** L2 factor added to gradients. */
    readonly weightDecay: number;
    /** FedProx's mu, 0 for none. */
    readonly proximal: number;
  };
  /** The server's step. For `gradient` the engine applies it against the gradient. */
  readonly server: ServerStep;
  /** The network; null: everybody answers at once. */
  readonly network: NetworkSpec | null;
  /** Every how many rounds the model is tested; the last is always. */
  readonly evaluateEvery: number;
  /** Pot of each round and stakes in whole tokens, and what a second of a client's work costs. */
  readonly economics: { readonly pot: string; readonly stake: string; readonly costPerClientRound: number };
  /** Whether every round is committed to by the record that production anchors. */
  readonly commit: boolean;
  /** Seed of everything random in the run. */
  readonly seed: number;
}
