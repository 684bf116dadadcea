/** What `bench ingest` is asked. */
export interface IngestOptions {
  /** Numbers of clients that upload at the same time. */
  readonly clients: readonly number[];
  /** Bytes of one update. */
  readonly bytes: number;
  /** Bytes of one repeat, at least one update a client. */
  readonly totalBytes: number;
  /** Repeats of each measurement after one that only warms up. */
  readonly repeats: number;
}

/** What `bench close` is asked. */
export interface CloseOptions {
  /** Numbers of participants. */
  readonly n: readonly number[];
  /** Parameters of the model. */
  readonly d: readonly number[];
  /** Rounds of each measurement after one that only warms up. */
  readonly repeats: number;
}

/** What `bench load` is asked. */
export interface LoadOptions {
  /** Connected clients. */
  readonly clients: number;
  /** Clients that are asked in the round; all if absent. */
  readonly sample?: number;
  /** Parameters of the model. */
  readonly parameters: number;
  /** Processes that hold the clients. */
  readonly processes: number;
}
