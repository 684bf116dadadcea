import type { JobContracts } from '../../coordinator/job-folder.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { DemoOptions } from './options.ts';
import type { Cast } from './participants.ts';
import type { ProcessGroup } from './process-group.ts';
import type { RunFolder } from './run-folder.ts';
import type { Screen } from './screen.ts';

/** What the parts of a demonstration share. */
export interface Federation {
  /** What was asked for. */
  readonly options: DemoOptions;
  /** Where the run keeps what it makes. */
  readonly folder: RunFolder;
  /** Everyone. */
  readonly cast: Cast;
  /** The job's terms. */
  readonly terms: JobTerms;
  /** Its contracts. */
  readonly contracts: JobContracts;
  /** The running processes. */
  readonly processes: ProcessGroup;
  /** The spectator. */
  readonly screen: Screen;
  /** The node of the chain. */
  readonly rpcUrl: string;
}
