import type { Ledger } from '../../contracts/ledger/ledger.ts';

/** Whether a coordinator may have dropped the updates of a round by now. */
export interface RetentionView {
  /**
   * Whether a round has been final for so long, by the chain's clock.
   *
   * @param round - an anchored round
   * @param retentionS - what the manifest says, in seconds
   */
  isOver(round: number, retentionS: number): Promise<boolean>;
}

/** Asks the chain. What its ring holds no more was final before its place was taken. */
export function createRetentionView(
  ledger: Pick<Ledger, 'finality' | 'chainTimeS' | 'latestRound' | 'facts'>,
): RetentionView {
  return {
    isOver: async (round, retentionS) => {
      const [latest, { ringSize }, nowS] = [
        await ledger.latestRound(),
        await ledger.facts(),
        await ledger.chainTimeS(),
      ];
      const { anchored, finalAtS } = await ledger.finality(Math.max(round, latest - ringSize + 1));
      return anchored && nowS >= finalAtS + retentionS;
    },
  };
}
