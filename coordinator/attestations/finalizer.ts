import type { Finalize } from '../../contracts/ledger/finality-writer.ts';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { Stakes } from '../../contracts/ledger/stakes.ts';
import { packAttestations } from '../../shared/commitments/attestation.ts';
import type { Log } from '../log.ts';
import type { JobRunner } from '../runner.ts';
import type { Attestations } from './attestations.ts';

/** What it takes to make a job's rounds final. */
export interface FinalizerOptions {
  /** What participants have attested. */
  readonly attestations: Pick<Attestations, 'newestQuorum' | 'countFor' | 'settle'>;
  /** The job's loop. */
  readonly runner: Pick<JobRunner, 'state'>;
  /** What the chain says. */
  readonly ledger: Pick<Ledger, 'progress' | 'finality' | 'chainTimeS'>;
  /** The list that counts now, and who would be on the next one. */
  readonly stakes: Pick<Stakes, 'roster' | 'participants'>;
  /** Publishes the next list; `purpose` tells one publication from the next. */
  readonly publishRoster: (purpose: string) => Promise<unknown>;
  /** Shows attestations to the chain. */
  readonly finalize: Finalize;
  /** Attestations that a round needs. */
  readonly quorum: number;
  /** The challenge window, in ticks. */
  readonly windowTicks: number;
  /** For how many ticks after its window a round may wait for them. */
  readonly attestationTicks: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Where to tell what happens. */
  readonly log: Log;
}

const TICK_S = 16;

/**
 * Shows attestations to the chain when it is time: in the last quarter of the window of the earliest round that lacks them,
 * so that one transaction serves every round anchored meanwhile; at once when the job is over. The roster is published
 * first where participants have come or gone.
 *
 * @returns a look that does what is due; doing it again changes nothing
 */
export function createFinalizer(options: FinalizerOptions): () => Promise<void> {
  const { attestations, runner, ledger, stakes, quorum, windowTicks, attestationTicks, now, log } = options;
  let warned = 0;

  const isDue = async (round: number): Promise<boolean> => {
    const { anchored, finalAtS } = await ledger.finality(round);
    if (!anchored) return false;
    // A quiet chain's clock stands still.
    const nowS = Math.max(now() / 1000, await ledger.chainTimeS());
    if (nowS >= finalAtS && warned < round && attestations.countFor(round) < quorum) {
      warned = round;
      log.warn(
        { round, attested: attestations.countFor(round), quorum, rewindableAtS: finalAtS + attestationTicks * TICK_S },
        'a round has left its window without the attestations it needs: anyone may rewind it when its time is up',
      );
    }
    const { phase } = runner.state;
    return phase === 'closed' || phase === 'failed' || nowS >= finalAtS - ((windowTicks + 1) * TICK_S) / 4;
  };

  return async () => {
    const { attested } = await ledger.progress();
    attestations.settle(attested);
    warned = Math.min(warned, attested + 1);
    const first = attested + 1;
    if (first > runner.state.progress.rounds || !(await isDue(first))) return;
    const [list, staked] = await Promise.all([stakes.roster(), stakes.participants()]);
    let published = list ?? [];
    const next = attestations.newestQuorum(staked, quorum);
    if (next && published.join() !== staked.join()) {
      // Published at most once for each head that it is needed for, whatever becomes of the list in between.
      await options.publishRoster(`${next.head}:${staked.length}`);
      log.info({ participants: staked.length }, 'roster published');
      published = (await stakes.roster()) ?? [];
    }
    const found = attestations.newestQuorum(published, quorum);
    if (!found || found.round < first) return;
    const { round, head } = found;
    await options.finalize(round, head, packAttestations(found.attestations));
    log.info({ firstRound: first, round, attestations: quorum }, 'rounds attested on chain');
  };
}
