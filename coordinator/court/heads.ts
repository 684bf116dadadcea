import type { Hex } from '../../shared/bytes.ts';
import { type ChainOrigin, genesisHead, nextHead, recordHash } from '../../shared/commitments/record.ts';
import type { JobRunner } from '../runner.ts';

/** Heads of a job's chain of records as the log has them. */
export interface Heads {
  /**
   * Head after a round, 26 bytes; round 0 is the genesis. Undefined for a round that is neither anchored nor on its way to
   * the chain.
   */
  headAfter(round: number): Hex | undefined;
}

/** Computes heads from the log's records, and again from where rounds were taken back. */
export function createHeads(origin: ChainOrigin, runner: Pick<JobRunner, 'state' | 'recordOf' | 'subscribe'>): Heads {
  const heads: Hex[] = [genesisHead(origin)];
  runner.subscribe((event, { progress }) => {
    if (event.type === 'roundsRewound') heads.length = Math.min(heads.length, progress.rounds + 1);
  });
  const headAfter = (round: number): Hex | undefined => {
    while (heads.length <= round) {
      const record = runner.recordOf(heads.length);
      if (record === undefined) break;
      heads.push(nextHead(heads.at(-1) as Hex, recordHash(record)));
    }
    if (heads[round] !== undefined) return heads[round];
    const { state } = runner;
    // Participants may see it on the chain before it is deep enough to count here.
    const isNext = state.phase === 'anchoring' && state.record.round === round && heads.length === round;
    return isNext ? nextHead(heads.at(-1) as Hex, recordHash(state.record)) : undefined;
  };
  return { headAfter };
}
