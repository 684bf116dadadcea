/** Something that tells how much energy was used, such as a counter of the machine. */
export interface EnergySource {
  /** What it is, such as `rapl`. */
  readonly name: string;
  /** Which part of the machine it speaks of. */
  readonly part: 'cpu' | 'gpu';
  /** Whether it measures; else it estimates. */
  readonly isMeasured: boolean;
  /** Joules since the last call, or since it was opened. Throws where it can tell no more. */
  take(): Promise<number>;
  /** Ends what it has opened. */
  close(): void;
}
