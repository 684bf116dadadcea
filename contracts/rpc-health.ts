/** What is known of one of several endpoints. */
export interface EndpointHealth {
  /** Its address for people. */
  readonly url: string;
  /**
   * `untried` at first; `healthy` when it answered last; `down` when it did not; `lagging` when it answers but is behind
   * another one; `wrong-chain` when it serves another chain, in which case it is not used.
   */
  readonly status: 'untried' | 'healthy' | 'down' | 'lagging' | 'wrong-chain';
  /** Number of the latest block that it told of. */
  readonly head?: number;
  /** Failures since it answered last. */
  readonly failures: number;
  /** When it is worth trying again, in ms of the caller's clock. */
  readonly retryAtMs: number;
  /** Why it is not healthy, in one sentence. */
  readonly reason?: string;
}

/**
 * The order in which endpoints are asked, as indices. Healthy ones come first, in the order of preference they were named
 * in. Without any, those that are worth a try, then those that lag behind (old news is better than none), then the rest.
 */
export function askingOrder(endpoints: readonly EndpointHealth[], nowMs: number): number[] {
  const rank = ({ status, retryAtMs }: EndpointHealth): number => {
    if (status === 'healthy') return 0;
    if (status === 'untried' || (status !== 'lagging' && retryAtMs <= nowMs)) return 1;
    return status === 'lagging' ? 2 : 3;
  };
  return endpoints
    .map((health, index) => ({ rank: rank(health), index }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ index }) => index);
}

/** Whether the endpoint at an index is more than `maxLagBlocks` behind what another one has told of. */
export function isLagging(endpoints: readonly EndpointHealth[], index: number, maxLagBlocks: number): boolean {
  const own = endpoints[index]?.head;
  if (own === undefined) return false;
  return endpoints.some(
    ({ status, head }, other) =>
      other !== index && status !== 'wrong-chain' && head !== undefined && head - own > maxLagBlocks,
  );
}

/** Pause before a failed endpoint is tried again, in ms: twice as long each time, at most `maxMs`. */
export function retryPauseMs(failures: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
}
