import type { Hex } from '../../shared/bytes.ts';

/** Who may take part by stake, as the chain told lately. */
export interface Eligibility {
  /**
   * Whether a participant has staked enough and is not leaving.
   *
   * @throws what the chain throws, where it was never asked with success
   */
  isStaked(participant: Hex): Promise<boolean>;
}

/** How long an answer of the chain stands for those who are on the list. A stake outlasts its owner's leaving by far. */
const STANDS_MS = 15_000;

/** How long it stands for those who are not: whoever has just staked asks again at once. */
const ABSENCE_STANDS_MS = 1000;

/**
 * Asks the chain for the list of staked participants, at most once for all who want to know at the same time. While the
 * chain is away the last list stands.
 *
 * @param readStaked - reads the list, lower case
 * @param now - milliseconds
 */
export function createEligibility(readStaked: () => Promise<readonly Hex[]>, now: () => number): Eligibility {
  let list: { readonly at: number; readonly staked: ReadonlySet<Hex> } | undefined;
  let asking: Promise<void> | undefined;
  const ask = (): Promise<void> => {
    asking ??= readStaked()
      .then((staked) => {
        list = { at: now(), staked: new Set(staked) };
      })
      .catch((error: Error) => {
        if (list === undefined) throw error;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
  return {
    isStaked: async (participant) => {
      const isOn = (): boolean => list?.staked.has(participant) === true;
      const age = list === undefined ? Number.POSITIVE_INFINITY : now() - list.at;
      if (age < 0 || age >= (isOn() ? STANDS_MS : ABSENCE_STANDS_MS)) await ask();
      return isOn();
    },
  };
}
