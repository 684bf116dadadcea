import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { MetricsReported } from '../../coordinator/round/events.ts';
import { colors } from '../../shared/runtime/colors.ts';
import type { RoundRow } from './chronicle.ts';
import type { Participant } from './participants.ts';

/** Held-out results of several participants taken together. */
export interface PooledMetrics {
  /** Fraction predicted rightly. */
  readonly accuracy: number;
  /** Mean loss, in nats. */
  readonly loss: number;
  /** Fraction that always answering the most frequent character would get right. */
  readonly constant: number;
}

/** Pools reports: every held-out example counts the same. */
export function pool(reports: Iterable<MetricsReported>): PooledMetrics {
  let [correct, total, lossSum, constantCorrect] = [0, 0, 0, 0];
  for (const report of reports) {
    correct += report.correct;
    total += report.total;
    lossSum += report.lossSum;
    constantCorrect += report.constantCorrect;
  }
  return { accuracy: correct / total, loss: lossSum / total, constant: constantCorrect / total };
}

/** What the demonstration says to its spectator. */
export interface Screen {
  /** A heading. */
  title(text: string): void;
  /** A line. */
  say(text: string): void;
  /** A line that asks for attention. */
  warn(text: string): void;
  /** Starts the progress bar of so many rounds with so many answers each. */
  begin(rounds: number, answers: number): void;
  /** Moves the bar. */
  progress(roundsDone: number, answers: number): void;
  /** One anchored round. */
  round(row: RoundRow, metrics: PooledMetrics | undefined): void;
  /** Takes the bar away. */
  end(): void;
}

/** Writes to the terminal, or line by line where there is none. */
export function createScreen(participants: readonly Participant[], rounds: number): Screen {
  const { stdout } = process;
  let bars: MultiBar | undefined;
  let bar: SingleBar | undefined;
  let answersPerRound = 1;

  const say = (text: string): void => {
    if (bars) bars.log(`${text}\n`);
    else stdout.write(`${text}\n`);
  };

  return {
    say,
    title: (text) => say(`\n${colors.bold(text)}`),
    warn: (text) => say(colors.yellow(text)),
    begin: (total, answers) => {
      answersPerRound = answers;
      if (!stdout.isTTY) return;
      bars = new MultiBar(
        {
          format: '  {bar} round {round}/{rounds}  {answers} answers  {duration_formatted}',
          hideCursor: true,
          // A line of text that is longer than the terminal is wide goes on in the next one.
          linewrap: true,
          clearOnComplete: true,
        },
        Presets.shades_classic,
      );
      bar = bars.create(total * answers, 0, { round: 1, rounds: total, answers: `0/${answers}` });
    },
    progress: (roundsDone, answers) => {
      bar?.update(roundsDone * answersPerRound + answers, {
        round: Math.min(rounds, roundsDone + 1),
        answers: `${answers}/${answersPerRound}`,
      });
    },
    round: (row, metrics) => {
      const result = metrics
        ? `accuracy ${colors.bold(percent(metrics.accuracy))}  loss ${metrics.loss.toFixed(2)}`
        : 'not evaluated';
      const attempt = row.attempt > 0 ? ` (attempt ${row.attempt})` : '';
      say(
        `round ${String(row.round).padStart(String(rounds).length)}/${rounds}${attempt}  ${result}  ` +
          `aggregated in ${row.aggregationMs.toFixed(0)} ms  gas ${Number(row.gasUsed).toLocaleString('en')}  ` +
          colors.dim(`tx ${row.transactionHash}`),
      );
      const best = row.verdicts.reduce((most, { score }) => (BigInt(score) > most ? BigInt(score) : most), 1n);
      say(`   ${participants.map((participant) => verdictOf(participant, row, best)).join('   ')}`);
    },
    end: () => {
      // Lines that came since the bar was drawn last are waiting to be written with the next drawing.
      bars?.update();
      bars?.stop();
      bars = undefined;
      bar = undefined;
    },
  };
}

/** One participant's verdict in a round, its score as a share of the round's best. */
function verdictOf({ name, signer }: Participant, row: RoundRow, best: bigint): string {
  const found = row.verdicts.find(({ participant }) => participant === signer.address);
  if (found?.verdict !== 'accepted') {
    return colors.red(`✗ ${name} ${found?.verdict ?? 'absent'}${found?.code ? ` (${found.code})` : ''}`);
  }
  const share = Number((BigInt(found.score) * 1000n) / best) / 1000;
  const mark = found.score === '0' ? colors.yellow('✓') : colors.green('✓');
  return `${mark} ${name} ${colors.dim('score')} ${share.toFixed(2)}`;
}

/** A fraction for people. */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`;
}

/** An amount of a token of 18 decimals for people: four decimals, never rounded up. */
export function tokens(amount: bigint): string {
  const parts = amount / 10n ** 14n;
  return `${parts / 10_000n}.${String(parts % 10_000n).padStart(4, '0')}`;
}
