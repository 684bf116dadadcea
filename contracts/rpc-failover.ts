import { isLedgerError, LedgerError } from './ledger/ledger-error.ts';
import type { Endpoint } from './rpc-endpoint.ts';
import { askingOrder, type EndpointHealth, isLagging, retryPauseMs } from './rpc-health.ts';
import type { RpcNotice } from './rpc-notice.ts';

/** How several endpoints are used as one. */
export interface FailoverOptions {
  /** The chain that each must serve; left out, that of the first one which answers. */
  readonly chainId?: bigint;
  /** Blocks that an endpoint may be behind another one. */
  readonly maxLagBlocks: number;
  /** Pause before a failed endpoint is tried again, in ms; doubled each time up to `maxRetryMs`. */
  readonly firstRetryMs: number;
  /** Longest such pause, in ms; healthy endpoints are compared this often. */
  readonly maxRetryMs: number;
  /** A clock in ms. */
  readonly nowMs: () => number;
  /** Told of every change. */
  readonly onNotice: (notice: RpcNotice) => void;
  /** Once it is aborted, calls fail for that reason alone. */
  readonly signal?: AbortSignal;
}

/** Several endpoints as one. */
export interface Failover {
  /** Address of the endpoint in use, for people. */
  readonly url: string;
  /** Asks the best endpoint, and the next one if it does not answer. */
  ask(method: string, parameters: readonly unknown[]): Promise<unknown>;
  /** What is known of each endpoint, in the order of preference. */
  health(): readonly EndpointHealth[];
  /** Asks each endpoint for its chain and its latest block. */
  check(): Promise<readonly EndpointHealth[]>;
}

/**
 * Uses the first healthy endpoint in the order of preference. One that does not answer, answers nonsense, asks for fewer
 * requests or lags behind is left for the next one within the same call, and is tried again in the background, so that no
 * call waits for an endpoint that is known to be in trouble. One on another chain is refused.
 */
export function createFailover(endpoints: readonly Endpoint[], options: FailoverOptions): Failover {
  const { maxLagBlocks, firstRetryMs, maxRetryMs, nowMs, onNotice } = options;
  const states: EndpointHealth[] = endpoints.map(({ url }) => ({ url, status: 'untried', failures: 0, retryAtMs: 0 }));
  const probes = new Map<number, Promise<void>>();
  let chainId = options.chainId;
  let current = 0;
  let comparedAtMs = nowMs();

  return {
    get url() {
      return at(current).url;
    },
    ask,
    health: () => [...states],
    async check() {
      await compare();
      return [...states];
    },
  };

  function at(index: number): EndpointHealth {
    return states[index] as EndpointHealth;
  }

  async function ask(method: string, parameters: readonly unknown[]): Promise<unknown> {
    probeOthers();
    const failures: LedgerError[] = [];
    for (const index of askingOrder(states, nowMs())) {
      try {
        if (at(index).status !== 'healthy') await probe(index);
        const answer = await (endpoints[index] as Endpoint).ask(method, parameters);
        learnHead(index, method, parameters, answer);
        use(index);
        return answer;
      } catch (error) {
        if (options.signal?.aborted) throw error;
        if (!isOfEndpoint(error)) {
          use(index);
          throw error;
        }
        failures.push(error);
        fail(index, error);
      }
    }
    throw summary(method, failures);
  }

  /** Looks at the endpoints in trouble when it is time, and compares all of them now and then. */
  function probeOthers(): void {
    const now = nowMs();
    if (!states.some(({ status }) => status === 'healthy')) return;
    if (now - comparedAtMs >= maxRetryMs) {
      comparedAtMs = now;
      void compare();
      return;
    }
    states.forEach(({ status, retryAtMs }, index) => {
      const due = status === 'untried' || (status !== 'healthy' && retryAtMs <= now);
      if (due && index !== current) probe(index).catch((error) => fail(index, error));
    });
  }

  async function compare(): Promise<void> {
    await Promise.all(states.map((_, index) => probe(index).catch((error) => fail(index, error))));
    // Only now is each latest block as fresh as the others.
    for (const index of states.keys()) judge(index);
  }

  /** untried | down | lagging | wrong-chain -> healthy | lagging, or throws. */
  function probe(index: number): Promise<void> {
    const running = probes.get(index);
    if (running !== undefined) return running;
    const started = lookAt(index).finally(() => probes.delete(index));
    probes.set(index, started);
    return started;
  }

  async function lookAt(index: number): Promise<void> {
    const endpoint = endpoints[index] as Endpoint;
    const found = BigInt((await endpoint.ask('eth_chainId', [])) as string);
    chainId ??= found;
    if (found !== chainId) {
      throw new LedgerError(
        'ledger/wrong-chain',
        `the node at ${endpoint.url} serves chain ${found}, not ${chainId}: it is not used; take it off --rpc`,
        { url: endpoint.url, expected: chainId.toString(), found: found.toString() },
      );
    }
    const head = Number(BigInt((await endpoint.ask('eth_blockNumber', [])) as string));
    const { status, url } = at(index);
    states[index] = { url, head, status, failures: 0, retryAtMs: 0 };
    judge(index);
  }

  /** Settles between healthy and lagging for an endpoint whose latest block was just learned. */
  function judge(index: number): void {
    const { status, url, head, failures } = at(index);
    if (head === undefined || failures > 0) return;
    if (isLagging(states, index, maxLagBlocks)) {
      const reason = `its latest block is ${head}, more than ${maxLagBlocks} behind another endpoint`;
      states[index] = { ...at(index), status: 'lagging', retryAtMs: nowMs() + firstRetryMs, reason };
      if (status !== 'lagging') {
        onNotice({ type: 'endpointLagged', level: 'warn', message: `${url} lags: ${reason}`, data: { url, head } });
      }
    } else if (status !== 'healthy') {
      states[index] = { url, head, status: 'healthy', failures: 0, retryAtMs: 0 };
      if (status !== 'untried') {
        const message = `${url} can be used again, at block ${head}`;
        onNotice({ type: 'endpointReturned', level: 'info', message, data: { url, head } });
      }
    }
  }

  function learnHead(index: number, method: string, parameters: readonly unknown[], answer: unknown): void {
    const told =
      method === 'eth_blockNumber'
        ? answer
        : method === 'eth_getBlockByNumber' && parameters[0] === 'latest'
          ? (answer as { number?: unknown } | null)?.number
          : undefined;
    if (typeof told !== 'string') return;
    states[index] = { ...at(index), head: Number(BigInt(told)) };
    judge(index);
  }

  function use(index: number): void {
    if (index === current) return;
    const [from, to] = [at(current).url, at(index).url];
    current = index;
    const message = `the chain is now reached at ${to} instead of ${from}`;
    onNotice({ type: 'failedOver', level: 'warn', message, data: { from, to } });
  }

  /** any -> down | wrong-chain */
  function fail(index: number, error: unknown): void {
    if (options.signal?.aborted) return;
    const wrongChain = isLedgerError(error, 'ledger/wrong-chain');
    const { url, status, failures, head } = at(index);
    const reason = error instanceof Error ? error.message : String(error);
    const asked = error instanceof LedgerError ? Number(error.data['retryAfterMs'] ?? 0) : 0;
    states[index] = {
      url,
      status: wrongChain ? 'wrong-chain' : 'down',
      ...(head === undefined || wrongChain ? {} : { head }),
      failures: failures + 1,
      retryAtMs: nowMs() + Math.max(asked, retryPauseMs(failures + 1, firstRetryMs, maxRetryMs)),
      reason,
    };
    if (at(index).status === status) return;
    const type = wrongChain ? 'endpointRefused' : 'endpointFailed';
    onNotice({ type, level: 'warn', message: reason, ...codeOf(error), data: { url } });
  }

  function summary(method: string, failures: readonly LedgerError[]): LedgerError {
    const [first] = failures;
    if (failures.length === 1 && first !== undefined) return first;
    const reasons = failures.map(({ message }) => message).join('; ');
    const urls = states.map(({ url }) => url);
    if (failures.every((error) => isLedgerError(error, 'ledger/wrong-chain'))) {
      return new LedgerError('ledger/wrong-chain', `no endpoint serves chain ${chainId}: ${reasons}`, { urls, method });
    }
    const sentence = `none of the ${failures.length} endpoints of the chain answered ${method}: ${reasons}`;
    return new LedgerError('ledger/unreachable', sentence, { urls, method }, first);
  }
}

/** Whether an error is the endpoint's fault, so that another one may do better. */
function isOfEndpoint(error: unknown): error is LedgerError {
  return (
    isLedgerError(error, 'ledger/unreachable') ||
    isLedgerError(error, 'ledger/invalid-answer') ||
    isLedgerError(error, 'ledger/wrong-chain')
  );
}

function codeOf(error: unknown): { code?: string } {
  return error instanceof LedgerError ? { code: error.code } : {};
}
