import type { Rewind } from '../../contracts/ledger/rewinds.ts';
import type { Log } from '../log.ts';
import type { JobRunner } from '../runner.ts';

/** What rewinds are followed with. */
export interface RewindFollowerOptions {
  /** Rewinds that are deep enough and later than the one known, in order. */
  readonly rewindsSince: (knownMinAttempt: number) => Promise<readonly Rewind[]>;
  /** Keeps a record that is on its way from ever being mined; nothing if none is. */
  readonly withdraw: (round: number, attempt: number) => Promise<void>;
  /** Weighs the bond, which whatever took back the rounds may have cut; nothing without a court. */
  readonly weighBond: () => Promise<void>;
  /** The job's loop. */
  readonly runner: Pick<JobRunner, 'state' | 'rewind'>;
  /** Where to tell what happens. */
  readonly log: Log;
}

/**
 * Brings a job back to where the chain has it. Several rewinds that were missed come to the deepest of them: nothing can
 * have been anchored between them without the coordinator knowing of the first.
 *
 * @returns a look that does what is due; doing it again changes nothing
 */
export function createRewindFollower({ rewindsSince, withdraw, weighBond, runner, log }: RewindFollowerOptions) {
  return async (): Promise<void> => {
    const rewinds = await rewindsSince(runner.state.progress.rewound?.minAttempt ?? 0);
    if (rewinds.length === 0) return;
    const firstRound = Math.min(...rewinds.map((rewind) => rewind.firstRound));
    const lastRound = Math.max(...rewinds.map((rewind) => rewind.lastRound));
    const minAttempt = Math.max(...rewinds.map((rewind) => rewind.minAttempt));
    const { state } = runner;
    // Its parent is gone. Were it mined after another one has taken the parent's place, it would be one that does not fit.
    if (state.phase === 'anchoring') await withdraw(state.record.round, state.record.attempt);
    log.warn(
      { firstRound, lastRound, minAttempt },
      `the chain has taken back rounds ${firstRound} to ${lastRound}: the job goes on from round ${firstRound - 1}`,
    );
    // Not even the round that it leads back to opens without the bond.
    await weighBond();
    await runner.rewind({ firstRound, lastRound, minAttempt });
  };
}
