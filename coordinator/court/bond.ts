import type { Log } from '../log.ts';
import type { JobRunner } from '../runner.ts';
import type { Eligibility } from './eligibility.ts';

/** What a job's stakes are looked after with. */
export interface StakesOptions {
  /** The coordinator's bond, in the token's smallest unit. */
  readonly readBond: () => Promise<bigint>;
  /** What the manifest asks for. */
  readonly needed: bigint;
  /** Who may take part. */
  readonly eligibility: Eligibility;
  /** The job's loop. */
  readonly runner: Pick<JobRunner, 'state' | 'weighBond' | 'leave'>;
  /** Where to tell what happens. */
  readonly log: Log;
}

/**
 * Weighs the coordinator's bond: below what the manifest asks for no round opens until it is posted.
 *
 * @returns a look that does what is due
 */
export function createBondWatch({ readBond, needed, runner, log }: Omit<StakesOptions, 'eligibility'>) {
  return async (): Promise<void> => {
    const held = await readBond();
    const wasShort = runner.state.progress.unbonded !== undefined;
    await runner.weighBond({ held, needed });
    const isShort = runner.state.progress.unbonded !== undefined;
    if (isShort && !wasShort) {
      log.warn(
        { held: `${held}`, needed: `${needed}` },
        'the bond is too small, no round opens: post more with "fedanchor stake bond add"',
      );
    } else if (wasShort && !isShort) log.info({ held: `${held}` }, 'the bond suffices again');
  };
}

/**
 * Lets those go who have taken their stake away: a round that waited for them would wait for what it must refuse.
 *
 * @returns a look that does what is due
 */
export function createStakeWatch({ eligibility, runner, log }: Pick<StakesOptions, 'eligibility' | 'runner' | 'log'>) {
  return async (): Promise<void> => {
    for (const participant of runner.state.progress.present) {
      if (await eligibility.isStaked(participant)) continue;
      log.info({ participant }, 'no longer waited for: it has no stake any more, or is leaving');
      await runner.leave(participant);
    }
  };
}
