import { SCORE_METHODS, type ScoreMethod } from '../../../shared/aggregation/scores.ts';
import type { BenchReport, Progress } from '../report.ts';
import { percentage, renderTable } from '../table.ts';
import { CLAIMANTS } from './free-riders.ts';
import { likenessOf, measurePay, type Pay } from './measure.ts';
import { playRealRounds } from './real-rounds.ts';

/** What `bench rewards` is asked. */
export interface RewardsOptions {
  /** Honest clients. */
  readonly clients: number;
  /** Rounds, of which the first does not count. */
  readonly rounds: number;
  /** Seed of everything random. */
  readonly seed: number;
}

/** Measures what each kind of free-rider is paid under each rule, beside honest clients that really train. */
export async function benchRewards(options: RewardsOptions, progress: Progress): Promise<BenchReport> {
  const f = Math.floor(options.clients / 4);
  const rounds = await playRealRounds(options, progress);
  progress('paying every claimant under every rule');
  const pays = measurePay(rounds, f);
  const likeness = rounds.map(likenessOf);
  const rules = [...new Set(pays.map(({ rule }) => rule))];
  const table = (method: ScoreMethod, which: 'paid' | 'first', names: readonly string[]): string => {
    const of = (claimant: string, rule: string): Pay | undefined =>
      pays.find((pay) => pay.claimant === claimant && pay.rule === rule && pay.method === method);
    return renderTable(
      [`by ${method}: ${which === 'paid' ? 'what it sends' : 'whom it copied'}`, ...rules],
      names.map((name) => [name, ...rules.map((rule) => percentage(of(name, rule)?.[which] ?? 0))]),
    );
  };
  const all = CLAIMANTS.map(({ name }) => name);
  const copies = CLAIMANTS.filter(({ copiesFirst }) => copiesFirst).map(({ name }) => name);
  const cosine = (value: number): string => value.toFixed(4);
  const cosines = renderTable(
    ['cosines of honest updates', 'own data, least', 'own data, largest', 'same data', 'same training'],
    likeness.map((one) => [
      `round ${one.round}`,
      ...[one.least, one.largest, one.sameData, one.sameTraining].map(cosine),
    ]),
  );
  const text = [
    ...[...SCORE_METHODS]
      .reverse()
      .flatMap((method) => [table(method, 'paid', all), '', table(method, 'first', copies), '']),
    cosines,
    '',
    `pay       of one claimant beside ${options.clients} honest clients, f = ${f} (a mean: 0), rounds 2 to ${options.rounds}: percent of what`,
    '          an honest client was paid, the first, of whom some are copies, not counted among them',
  ].join('\n');
  return { text, document: { options, f, pays, likeness } };
}
