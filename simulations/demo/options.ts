/** What a demonstration is asked to be. */
export interface DemoOptions {
  /** Honest clients. */
  readonly clients: number;
  /** Attackers. */
  readonly attackers: number;
  /** The attack, `name` or `name:strength`. */
  readonly attack: string;
  /** What the coordinator lies about in its second round; undefined for an honest one. */
  readonly cheat: string | undefined;
  /** Rounds. */
  readonly rounds: number;
  /** Aggregation rule, with pre-aggregators in front as in `NNM+TrMean`. */
  readonly rule: string;
  /** Faulty participants to withstand; undefined takes the number of attackers, or 0 for a plain mean. */
  readonly f: number | undefined;
  /** Port of the coordinator, 0 for any free one. */
  readonly port: number;
  /** Seed of everything random. */
  readonly seed: number;
  /** Folder whose sub-folders are the clients' data; undefined for the documentation of installed packages. */
  readonly data: string | undefined;
  /** Folder to keep the run in. */
  readonly keep: string | undefined;
  /** File for the run as one JSON document. */
  readonly json: string | undefined;
}
