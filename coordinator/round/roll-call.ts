import type { Hex } from '../../shared/bytes.ts';
import type { SampleDraw } from '../../shared/round/sampling.ts';
import type { Answer, Collecting } from './state.ts';

/** Who took part in one attempt at a round, and who did not: what its outcome is to be read with. */
export interface RollCall {
  /** Round. */
  readonly round: number;
  /** Attempt. */
  readonly attempt: number;
  /** Whom the round waited for, ascending. */
  readonly asked: readonly Hex[];
  /** How they were drawn, where the manifest has a `sample`. */
  readonly draw?: SampleDraw;
  /**
   * Why collection closed: all had answered, the updates that a round takes were there, the deadline had passed, an
   * operator stopped the job, or the chain took back the round before.
   */
  readonly closing: 'answered' | 'sample' | 'deadline' | 'stopped' | 'rewound';
  /** Whose updates were accepted, ascending. */
  readonly accepted: readonly Hex[];
  /** Whose submissions were refused, and with what code. */
  readonly refused: readonly Excuse[];
  /** Who said that they would not answer, and with what code. */
  readonly declined: readonly Excuse[];
  /** Who was asked and had not answered, ascending: missing at a deadline, else not needed any more. */
  readonly missing: readonly Hex[];
}

/** Somebody's reason not to be among the admitted. */
interface Excuse {
  /** Who. */
  readonly participant: Hex;
  /** Why, as a code. */
  readonly code: string;
}

/** Names listed in a sentence; of more only the number is told. */
const MOST_NAMES = 10;

/** Calls the roll of an attempt whose collection closes with these answers. */
export function rollCallOf(
  { plan, expected, answers, draw }: Pick<Collecting, 'plan' | 'expected' | 'answers' | 'draw'>,
  closing: Exclude<RollCall['closing'], 'sample'>,
): RollCall {
  const given = (Object.entries(answers) as [Hex, Answer][]).sort(([a], [b]) => (a < b ? -1 : 1));
  const excused = (verdict: 'refused' | 'declined'): Excuse[] =>
    given.flatMap(([participant, answer]) => (answer.verdict === verdict ? [{ participant, code: answer.code }] : []));
  const missing = expected.filter((participant) => answers[participant] === undefined);
  return {
    round: plan.round,
    attempt: plan.attempt,
    asked: expected,
    ...(draw && { draw }),
    closing: closing === 'answered' && missing.length > 0 ? 'sample' : closing,
    accepted: given.flatMap(([participant, { verdict }]) => (verdict === 'accepted' ? [participant] : [])),
    refused: excused('refused'),
    declined: excused('declined'),
    missing,
  };
}

/** A roll call in words, everyone who is not among the admitted named. */
export function describeRollCall({ asked, accepted, refused, declined, missing, closing }: RollCall): string {
  const excuses = (list: readonly Excuse[]): string[] =>
    list.map(({ participant, code }) => `${participant} (${code})`);
  return [
    `${accepted.length} updates of ${asked.length} asked`,
    ...named(closing === 'deadline' ? 'missing' : 'not needed', missing),
    ...named('declined', excuses(declined)),
    ...named('refused', excuses(refused)),
  ].join('; ');
}

function named(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : '';
  return [`${what}: ${names.slice(0, MOST_NAMES).join(', ')}${more}`];
}
