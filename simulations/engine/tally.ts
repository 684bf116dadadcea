import { WEIGHT_ONE } from '../../shared/fixed-point/constants.ts';
import type { KindTotals } from '../experiment/run-result.ts';
import type { ClosedRound } from './run-rounds.ts';

/** What clients did and earned, round by round. */
export interface Tally {
  /** Counts a round. */
  add(clients: readonly number[], closed: ClosedRound): void;
  /** Share of the last round's weight that went to the Byzantine; null where the rule has no weights, or before round 1. */
  byzantineWeight(): number | null;
  /** Totals of honest and Byzantine clients. */
  kinds(): { readonly honest: KindTotals; readonly byzantine: KindTotals };
  /** What each client earned, decimal strings. */
  earnedByClient(): readonly string[];
}

interface Kind {
  readonly clients: number;
  updates: number;
  weight: number | null;
  activeRounds: number;
}

/**
 * Counts what honest clients (the first) and Byzantine ones (the others) did and earned.
 *
 * @param honest - honest clients
 * @param byzantine - Byzantine clients
 */
export function createTally(honest: number, byzantine: number): Tally {
  const earned = new Array<bigint>(honest + byzantine).fill(0n);
  const kinds: readonly [Kind, Kind] = [
    { clients: honest, updates: 0, weight: 0, activeRounds: 0 },
    { clients: byzantine, updates: 0, weight: 0, activeRounds: 0 },
  ];
  let last: number | null = null;

  const totals = (kind: Kind, from: number): KindTotals => ({
    ...kind,
    earned: String(earned.slice(from, from + kind.clients).reduce((sum, one) => sum + one, 0n)),
  });

  return {
    add: (clients, { weights, active, earned: paid }) => {
      const seen = [0, 0];
      const isActive = [false, false];
      const sums = [0, 0];
      for (const [index, client] of clients.entries()) {
        const kind = client < honest ? 0 : 1;
        earned[client] = (earned[client] as bigint) + (paid[index] as bigint);
        seen[kind] = (seen[kind] as number) + 1;
        isActive[kind] ||= active[index] === true;
        sums[kind] = (sums[kind] as number) + (weights?.[index] ?? 0);
      }
      for (const [index, kind] of kinds.entries()) {
        kind.updates += seen[index] as number;
        if (isActive[index]) kind.activeRounds++;
        // Sums of integers over a power of two: exact.
        kind.weight =
          weights === null || kind.weight === null ? null : kind.weight + (sums[index] as number) / WEIGHT_ONE;
      }
      const whole = (sums[0] as number) + (sums[1] as number);
      last = weights === null || whole === 0 ? null : (sums[1] as number) / whole;
    },
    byzantineWeight: () => last,
    kinds: () => ({ honest: totals(kinds[0], 0), byzantine: totals(kinds[1], honest) }),
    earnedByClient: () => earned.map(String),
  };
}
