import type { KindTotals, RunResult } from './run-result.ts';
import type { RunSpec } from './run-spec.ts';

/** The result of a run that gave none. */
export function failedResult(
  { honest, byzantine }: Pick<RunSpec, 'honest' | 'byzantine'>,
  dataHash: string,
  { code, message }: NonNullable<RunResult['reason']>,
): RunResult {
  const nothing = (clients: number): KindTotals => ({
    ...{ clients, updates: 0, weight: null, earned: '0', activeRounds: 0 },
  });
  return {
    outcome: 'failed',
    reason: { code, message },
    curve: [],
    finalAccuracy: 0,
    bestAccuracy: 0,
    kinds: { honest: nothing(honest), byzantine: nothing(byzantine) },
    earnedByClient: Array.from({ length: honest + byzantine }, () => '0'),
    byzantineWeight: [],
    traffic: null,
    modelHash: '',
    headHash: null,
    dataHash,
  };
}
