import type { JobEvent } from '../../coordinator/round/events.ts';
import { type Chronicle, createChronicle } from './chronicle.ts';
import { DemoError, interrupted } from './demo-error.ts';
import { honestMetrics } from './document.ts';
import type { Federation } from './federation.ts';
import { addressesOf } from './participants.ts';
import { percent } from './screen.ts';
import { watchJob } from './watch-job.ts';

/**
 * Shows the job as it goes on, until it is closed.
 *
 * @throws DemoError `demo/job-failed`, `demo/interrupted`
 */
export async function followRounds(federation: Federation, url: string, signal: AbortSignal): Promise<Chronicle> {
  const { options, cast, contracts, terms, screen } = federation;
  const chronicle = createChronicle(addressesOf(cast.participants));
  const honest = cast.participants.filter(({ role }) => role === 'honest').map(({ signer }) => signer.address);
  const allEvaluated = (round: number): boolean => honest.every((address) => chronicle.metricsOf(round).has(address));
  let shown = 0;
  let baselineShown = false;
  // A cheating coordinator may be done before it learns that its lie was taken back.
  let isHonest = options.cheat === undefined;

  /** Shows what is complete: a round once the honest have evaluated its model, or once it is clear that some will not. */
  const show = (final: boolean): void => {
    const evaluated = (round: number) => final || chronicle.rounds.length > round || allEvaluated(round);
    const untrained = honestMetrics(chronicle, cast, 0);
    if (!baselineShown && untrained && allEvaluated(0)) {
      baselineShown = true;
      screen.say(
        `untrained model: accuracy ${percent(untrained.accuracy)}, loss ${untrained.loss.toFixed(2)}; ` +
          `always the most frequent character: ${percent(untrained.constant)}`,
      );
    }
    for (let row = chronicle.rounds[shown]; row && evaluated(row.round); row = chronicle.rounds[shown]) {
      shown++;
      screen.round(row, honestMetrics(chronicle, cast, row.round));
    }
    screen.progress(chronicle.rounds.length, chronicle.answers);
  };

  screen.title('Rounds');
  screen.begin(options.rounds, cast.participants.length);
  const counterpart = {
    chainId: 31337n,
    anchor: contracts.anchor,
    job: terms.job,
    coordinator: cast.operator.signer.address,
  };
  try {
    await new Promise<void>((done, failed) => {
      const take = (event: JobEvent): void => {
        chronicle.add(event);
        // Rounds that were taken back are shown again when they come again.
        shown = Math.min(shown, chronicle.rounds.length);
        isHonest ||= event.type === 'roundsRewound';
        show(false);
        if (isHonest && chronicle.rounds.length === options.rounds && allEvaluated(options.rounds)) end(done);
      };
      const watch = watchJob(url, cast.operator.signer, counterpart, take, (reason) =>
        end(() => failed(new DemoError('demo/job-failed', `the job failed: ${reason}`))),
      );
      const end = (settleWith: () => void): void => {
        watch.close();
        settleWith();
      };
      signal.addEventListener('abort', () => end(() => failed(interrupted())), { once: true });
    });
    show(true);
  } finally {
    screen.end();
  }
  return chronicle;
}
