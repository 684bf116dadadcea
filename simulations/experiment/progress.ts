import { Presets, SingleBar } from 'cli-progress';
import type { ExperimentRun } from './experiment.ts';
import type { RunResult } from './run-result.ts';

/** Tells how far an experiment is. */
export interface Progress {
  /** So many rounds of a run are done. */
  round(run: ExperimentRun, round: number): void;
  /** A run has its result. */
  done(run: ExperimentRun, result: RunResult): void;
  /** Says a line beside the bar. */
  say(text: string): void;
  /** Takes the bar away. */
  stop(): void;
}

/**
 * Draws a bar with the time that is left, or writes a line a run where there is no terminal.
 *
 * @param runs - all that are to be made
 * @param now - milliseconds, of any beginning
 */
export function createProgress(
  runs: readonly ExperimentRun[],
  terminal: NodeJS.WriteStream,
  now: () => number,
): Progress {
  const begun = now();
  const rounds = new Map<string, number>();
  const whole = runs.reduce((sum, { spec }) => sum + spec.rounds, 0);
  let roundsDone = 0;
  let runsDone = 0;
  const bar = terminal.isTTY
    ? new SingleBar(
        {
          format: '  {bar} {done}/{runs} runs  {left}',
          stream: terminal,
          hideCursor: true,
          clearOnComplete: true,
          linewrap: true,
        },
        Presets.shades_classic,
      )
    : undefined;
  bar?.start(whole, 0, { done: 0, runs: runs.length, left: '' });

  const left = (): string => {
    if (roundsDone === 0) return '';
    return `${duration(((now() - begun) / roundsDone) * (whole - roundsDone))} left`;
  };
  const advance = (id: string, round: number): void => {
    // A run that is redone begins again.
    roundsDone += round - (rounds.get(id) ?? 0);
    rounds.set(id, round);
    bar?.update(roundsDone, { done: runsDone, left: left() });
  };
  const say = (text: string): void => {
    if (bar === undefined) terminal.write(`${text}\n`);
    else terminal.write(`\r\u001b[K${text}\n`);
    bar?.render();
  };

  return {
    say,
    round: ({ id }, round) => advance(id, round),
    done: (run, result) => {
      runsDone += 1;
      advance(run.id, run.spec.rounds);
      const width = String(runs.length).length;
      const ending = runsDone < runs.length ? `  (${left()})` : '';
      say(
        `[${String(runsDone).padStart(width)}/${runs.length}] ${describeRun(run)}: ${describeResult(result)}${ending}`,
      );
    },
    stop: () => bar?.stop(),
  };
}

/** A run as a line names it. */
function describeRun({ cell }: ExperimentRun): string {
  return `${cell.rule}, ${cell.attack}, f ${cell.f} of ${cell.n}, ${cell.partition}, seed ${cell.seed}`;
}

/** A result in a few words. */
function describeResult({ outcome, reason, finalAccuracy }: RunResult): string {
  if (outcome === 'finished') return `${(100 * finalAccuracy).toFixed(1)} %`;
  return reason === undefined ? outcome : `${outcome}: ${reason.message} [${reason.code}]`;
}

/** A length of time for people: two units at most. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
