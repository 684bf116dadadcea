import type { JobEvent, MetricsReported } from '../../coordinator/round/events.ts';
import type { Hex } from '../../shared/bytes.ts';

/** What became of one participant in one round. */
export interface ParticipantVerdict {
  /** The participant. */
  readonly participant: Hex;
  /** `accepted`, `late`, `rejected`, `declined` or `absent`. */
  readonly verdict: string;
  /** Why, if not accepted. */
  readonly code: string;
  /** Integer score, decimal; 0 unless accepted. */
  readonly score: string;
  /** What was earned in the round, decimal. */
  readonly earned: string;
}

/** One anchored round as the coordinator's events tell it. */
export interface RoundRow {
  /** Round number, from 1. */
  readonly round: number;
  /** Attempt. */
  readonly attempt: number;
  /** Model before. */
  readonly parentRoot: Hex;
  /** Model after. */
  readonly modelRoot: Hex;
  /** One verdict a participant, in participant order. */
  readonly verdicts: readonly ParticipantVerdict[];
  /** Transaction that anchored the record. */
  readonly transactionHash: Hex;
  /** Gas it used, decimal. */
  readonly gasUsed: string;
  /** Time of the round function, in milliseconds. */
  readonly aggregationMs: number;
  /** From the end of collection to the next model being stored, in milliseconds. */
  readonly closeMs: number;
}

/** The events of a job folded to what a spectator wants to know. */
export interface Chronicle {
  /** Takes the next event. */
  add(event: JobEvent): void;
  /** Anchored rounds so far. */
  readonly rounds: readonly RoundRow[];
  /** Answers that the open round has so far. */
  readonly answers: number;
  /** Reports on the model of a round (0 is the model before round 1), by participant. */
  metricsOf(round: number): ReadonlyMap<Hex, MetricsReported>;
}

type Answer = { readonly verdict: string; readonly code: string };

/**
 * Creates a chronicle of a job.
 *
 * @param participants - everyone who takes part, in participant order
 */
export function createChronicle(participants: readonly Hex[]): Chronicle {
  const rounds: RoundRow[] = [];
  const metrics = new Map<number, Map<Hex, MetricsReported>>();
  const answers = new Map<string, Map<Hex, Answer>>();
  let pending: Omit<RoundRow, 'transactionHash' | 'gasUsed'> | undefined;

  const answer = (round: number, attempt: number, participant: Hex, given: Answer): void => {
    const key = `${round}/${attempt}`;
    const all = answers.get(key) ?? new Map<Hex, Answer>();
    if (all.get(participant)?.verdict !== 'accepted') answers.set(key, all.set(participant, given));
  };

  return {
    rounds,
    get answers() {
      const last = [...answers.keys()].at(-1);
      const done = rounds.at(-1);
      return last === undefined || last === `${done?.round}/${done?.attempt}` ? 0 : (answers.get(last)?.size ?? 0);
    },
    metricsOf: (round) => metrics.get(round) ?? new Map(),
    add: (event) => {
      switch (event.type) {
        case 'updateAccepted':
        case 'updateRefused': {
          const { round, attempt, verdict, code } = event.receipt;
          answer(round, attempt, event.participant, { verdict, code });
          return;
        }
        case 'roundDeclined':
          answer(event.round, event.attempt, event.participant, { verdict: 'declined', code: event.code });
          return;
        case 'roundAggregated': {
          const { round, attempt, parentModelRoot, modelRoot } = event.record;
          const given = answers.get(`${round}/${attempt}`) ?? new Map<Hex, Answer>();
          const admitted = participants.filter((participant) => given.get(participant)?.verdict === 'accepted');
          const verdicts = participants.map((participant) => {
            const row = admitted.indexOf(participant);
            return {
              participant,
              ...(given.get(participant) ?? { verdict: 'absent', code: '' }),
              score: event.scores[row] ?? '0',
              earned: event.earned[row] ?? '0',
            };
          });
          const { aggregationMs, closeMs } = event;
          pending = { round, attempt, parentRoot: parentModelRoot, modelRoot, verdicts, aggregationMs, closeMs };
          return;
        }
        case 'roundAnchored':
          if (pending?.round !== event.round || pending.attempt !== event.attempt) return;
          rounds.push({ ...pending, transactionHash: event.transactionHash, gasUsed: event.gasUsed });
          pending = undefined;
          return;
        case 'roundsRewound':
          rounds.splice(0, rounds.length, ...rounds.filter(({ round }) => round < event.firstRound));
          pending = undefined;
          return;
        case 'metricsReported':
          metrics.set(
            event.round,
            (metrics.get(event.round) ?? new Map<Hex, MetricsReported>()).set(event.participant, event),
          );
          return;
        default:
          return;
      }
    },
  };
}
