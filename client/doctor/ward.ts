import { FedanchorError } from '../../shared/errors.ts';
import type { Finding, Outcome } from './finding.ts';

/** Collects findings, each with a remedy where it is not good. */
export interface Ward {
  /** What was found so far, in the order in which it was looked at. */
  readonly findings: readonly Finding[];
  /**
   * Looks at one thing; what the work throws is a bad finding.
   *
   * @param name - what it is about
   * @param remedy - what to do, unless the outcome knows better
   * @returns what the work found, or undefined where it is bad
   */
  look<T>(name: string, remedy: string, work: () => Promise<Seen<T>> | Seen<T>): Promise<T | undefined>;
}

/** What looking came to, and what was found on the way for those who look next. */
export type Seen<T> = readonly [outcome: Outcome, value?: T];

/** Opens a ward. */
export function openWard(): Ward {
  const findings: Finding[] = [];
  return {
    findings,
    look: async (name, remedy, work) => {
      const [outcome, value] = await Promise.resolve()
        .then(work)
        .catch((error: Error): Seen<never> => {
          const code = error instanceof FedanchorError ? error.code : undefined;
          return [{ verdict: 'bad', message: error.message, ...(code === undefined ? {} : { code }) }];
        });
      const isWell = outcome.verdict === 'good';
      findings.push({ name, ...outcome, ...(isWell ? {} : { remedy: outcome.remedy ?? remedy }) });
      return outcome.verdict === 'bad' ? undefined : value;
    },
  };
}
