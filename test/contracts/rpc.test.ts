import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRpc, type RpcOptions } from '../../contracts/rpc.ts';
import { isPlausible } from '../../contracts/rpc-answer.ts';
import { askingOrder, type EndpointHealth, retryPauseMs } from '../../contracts/rpc-health.ts';
import type { RpcNotice } from '../../contracts/rpc-notice.ts';
import { startTestChain, type TestChain } from './harness.ts';
import { until } from './outbox-lab.ts';
import { type Mood, startProxy } from './rpc-proxy.ts';

let test: TestChain;
let other: TestChain;
beforeAll(async () => {
  [test, other] = await Promise.all([startTestChain(), startTestChain({ chainId: 4242 })]);
});
afterAll(() => Promise.all([test.close(), other.close()]));

const FAILING: Mood[] = [
  ...(['hangs', 'hangs up', 'too many requests', 'too many requests, as an error', 'bad gateway'] as const),
  ...(['not JSON', 'JSON without a result', 'results of the wrong kind'] as const),
];

/** Only where nothing will ever be answered is the wait short: elsewhere a busy machine must not look like a dead node. */
const patience = (mood: Mood): number => (mood === 'hangs' ? 500 : 10_000);

describe('one address', () => {
  it.each(FAILING)('that %s is an error with a code that says so, and no crash', async (mood) => {
    await using proxy = await startProxy(test.rpc.url);
    proxy.mood = mood;
    const rpc = connectRpc({ url: proxy.url, timeoutMs: patience(mood) });
    const garbled = ['not JSON', 'JSON without a result', 'results of the wrong kind'].includes(String(mood));
    await expect(rpc.call('eth_chainId', [])).rejects.toMatchObject({
      code: garbled ? 'ledger/invalid-answer' : 'ledger/unreachable',
      message: expect.stringContaining(proxy.url),
    });
    proxy.mood = 'well';
    expect(await rpc.call('eth_chainId', [])).toBe('0x7a69');
  });

  it('with a password is asked with it, and shown without password and path', async () => {
    await using proxy = await startProxy(test.rpc.url);
    const url = proxy.url.replace('http://', 'http://user:s%20cret@');
    const rpc = connectRpc({ url: `${url}/v3/apikey?token=1` });
    await rpc.call('eth_chainId', []);
    expect(proxy.headers.authorization).toBe(`Basic ${Buffer.from('user:s cret').toString('base64')}`);
    expect(rpc.url).toBe(`${proxy.url}/...`);
    proxy.mood = 'bad gateway';
    const error = await rpc.call('eth_chainId', []).catch((thrown: Error) => thrown);
    expect(JSON.stringify([error, (error as Error).message])).not.toMatch(/cret|apikey|token/);
  });

  it.each(['ftp://host', 'host:8545', ''])('such as "%s" is refused', (url) => {
    expect(() => connectRpc({ url })).toThrow(expect.objectContaining({ code: 'ledger/invalid-url' }));
  });
});

/** Two proxies in front of the chain, and a client of both whose clock is the test's. */
async function pair(options: Partial<RpcOptions> = {}) {
  const [a, b] = await Promise.all([startProxy(test.rpc.url), startProxy(test.rpc.url)]);
  const notices: RpcNotice[] = [];
  const clock = { nowMs: 0 };
  const rpc = connectRpc({
    ...{ urls: [a.url, b.url], timeoutMs: 10_000, maxLagBlocks: 3, nowMs: () => clock.nowMs },
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
  const told = (type: RpcNotice['type']) => notices.filter((notice) => notice.type === type);
  const status = async () => (await rpc.check?.())?.map((health) => health.status);
  const dispose = async () => {
    for (const proxy of [a, b]) await proxy[Symbol.asyncDispose]();
  };
  return { a, b, rpc, notices, clock, told, status, [Symbol.asyncDispose]: dispose };
}

describe('several addresses', () => {
  it('are used in the order of preference: the first one alone while it answers', async () => {
    await using both = await pair();
    await both.rpc.check?.();
    both.b.asked.length = 0;
    for (let call = 0; call < 5; call++) await both.rpc.call('eth_gasPrice', []);
    expect(both.b.asked).toEqual([]);
    expect(both.rpc.url).toBe(both.a.url);
    expect(both.notices).toEqual([]);
  });

  it.each(FAILING)(
    'fail over within the call from one that %s, stay there, and return when it is well',
    async (mood) => {
      await using both = await pair({ timeoutMs: patience(mood) });
      await both.rpc.call('eth_chainId', []);
      both.a.mood = mood;
      expect(await both.rpc.call('eth_chainId', [])).toBe('0x7a69');
      expect(both.rpc.url).toBe(both.b.url);
      expect(both.told('endpointFailed')).toMatchObject([{ level: 'warn', data: { url: both.a.url } }]);
      expect(both.told('failedOver')).toMatchObject([{ data: { from: both.a.url, to: both.b.url } }]);
      both.a.asked.length = 0;
      await both.rpc.call('eth_chainId', []);
      await both.rpc.call('eth_chainId', []);
      expect(both.a.asked).toEqual([]);
      // When it is time, it is tried beside a call, which waits for nothing.
      both.a.mood = 'well';
      both.clock.nowMs += 2000;
      await until(async () => {
        await both.rpc.call('eth_chainId', []);
        return both.rpc.url === both.a.url;
      });
      expect(both.told('endpointReturned')).toHaveLength(1);
    },
  );

  it('do not fail over because a node refuses the call itself', async () => {
    await using both = await pair();
    await expect(both.rpc.call('eth_sendRawTransaction', ['0x1234'])).rejects.toMatchObject({ code: 'ledger/refused' });
    await expect(both.rpc.call('no_such_method', [])).rejects.toMatchObject({ code: 'ledger/refused' });
    expect(both.notices).toEqual([]);
  });

  it('that are all down are an error naming each, and work again as soon as one of them does', async () => {
    await using both = await pair();
    await both.rpc.call('eth_chainId', []);
    [both.a.mood, both.b.mood] = ['hangs up', 'bad gateway'];
    for (const _ of [1, 2]) {
      const error = await both.rpc.call('eth_chainId', []).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: 'ledger/unreachable' });
      expect((error as Error).message).toMatch(new RegExp(`none of the 2.*${both.a.url}.*${both.b.url}.*HTTP 502`));
    }
    both.b.mood = 'well';
    expect(await both.rpc.call('eth_chainId', [])).toBe('0x7a69');
    expect(both.rpc.url).toBe(both.b.url);
  });

  it('refuse one that serves another chain, by name', async () => {
    await using stray = await startProxy(other.rpc.url);
    const notices: RpcNotice[] = [];
    const rpc = connectRpc({
      ...{ urls: [stray.url, test.rpc.url], chainId: 31337n, onNotice: (notice) => notices.push(notice) },
    });
    expect(await rpc.call('eth_chainId', [])).toBe('0x7a69');
    expect(rpc.url).toBe(test.rpc.url);
    expect(notices[0]).toMatchObject({ type: 'endpointRefused', code: 'ledger/wrong-chain', data: { url: stray.url } });
    expect(notices[0]?.message).toMatch(/serves chain 4242, not 31337/);
    expect(stray.asked).toEqual(['eth_chainId']);
    expect((await rpc.check?.())?.map(({ status }) => status)).toEqual(['wrong-chain', 'healthy']);
  });

  it('are an error of their own when each serves another chain', async () => {
    const rpc = connectRpc({ urls: [other.rpc.url, other.rpc.url], chainId: 31337n });
    await expect(rpc.call('eth_chainId', [])).rejects.toMatchObject({ code: 'ledger/wrong-chain' });
  });

  it('find out that one came back with another chain', async () => {
    await using both = await pair();
    await both.rpc.call('eth_chainId', []);
    both.a.mood = 'hangs up';
    await both.rpc.call('eth_chainId', []);
    both.a.mood = { chainId: '0x1' };
    expect(await both.status()).toEqual(['wrong-chain', 'healthy']);
    expect(await both.rpc.call('eth_chainId', [])).toBe('0x7a69');
  });

  it('leave one that lags behind another, and use it again when it has caught up', async () => {
    await using both = await pair();
    await test.rpc.call('anvil_mine', ['0x14']);
    both.a.mood = { blocksBehind: 10 };
    expect(await both.status()).toEqual(['lagging', 'healthy']);
    await both.rpc.call('eth_chainId', []);
    expect(both.rpc.url).toBe(both.b.url);
    expect(both.told('endpointLagged')).toMatchObject([{ level: 'warn', data: { url: both.a.url } }]);
    both.a.mood = { blocksBehind: 2 };
    expect(await both.status()).toEqual(['healthy', 'healthy']);
    await both.rpc.call('eth_chainId', []);
    expect(both.rpc.url).toBe(both.a.url);
  });

  it('prefer one that lags to none', async () => {
    await using both = await pair();
    await test.rpc.call('anvil_mine', ['0x14']);
    both.a.mood = { blocksBehind: 10 };
    await both.rpc.check?.();
    both.b.mood = 'hangs up';
    expect(await both.rpc.call('eth_chainId', [])).toBe('0x7a69');
    expect(both.rpc.url).toBe(both.a.url);
  });

  it('compare themselves now and then, so that a node which stands still is noticed', async () => {
    await using both = await pair({ maxRetryMs: 5000 });
    await both.rpc.check?.();
    await test.rpc.call('anvil_mine', ['0x14']);
    both.a.mood = { blocksBehind: 20 };
    both.clock.nowMs += 5000;
    await until(async () => {
      await both.rpc.call('eth_chainId', []);
      return both.rpc.url === both.b.url;
    });
    expect(both.told('endpointLagged')).toHaveLength(1);
  });

  it('tell nothing when they are closed', async () => {
    const lifetime = new AbortController();
    await using both = await pair({ signal: lifetime.signal });
    await both.rpc.call('eth_chainId', []);
    lifetime.abort();
    await expect(both.rpc.call('eth_chainId', [])).rejects.toMatchObject({ code: 'ledger/unreachable' });
    expect(both.notices).toEqual([]);
  });
});

describe('choosing an endpoint', () => {
  const health = fc.record({
    url: fc.constant('http://node'),
    status: fc.constantFrom<EndpointHealth['status']>('untried', 'healthy', 'down', 'lagging', 'wrong-chain'),
    failures: fc.nat(3),
    retryAtMs: fc.nat(100),
  });

  it('asks each once, healthy ones first and in the order of preference', () => {
    fc.assert(
      fc.property(fc.array(health, { minLength: 1, maxLength: 6 }), fc.nat(100), (endpoints, now) => {
        const order = askingOrder(endpoints, now);
        expect([...order].sort()).toEqual(endpoints.map((_, index) => index));
        const healthy = endpoints.flatMap(({ status }, index) => (status === 'healthy' ? [index] : []));
        expect(order.slice(0, healthy.length)).toEqual(healthy);
      }),
    );
  });

  it('waits twice as long after each failure, up to a bound', () => {
    expect([1, 2, 3, 4, 5, 2000].map((failures) => retryPauseMs(failures, 100, 1000))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
  });
});

describe('the shape of an answer', () => {
  it('is judged without ever throwing', () => {
    const methods = ['eth_chainId', 'eth_call', 'eth_getLogs', 'eth_getTransactionReceipt', 'eth_getBlockByNumber'];
    fc.assert(
      fc.property(fc.constantFrom(...methods), fc.anything(), (method, value) => {
        expect(typeof isPlausible(method, value)).toBe('boolean');
      }),
    );
  });

  it('passes what a real node says', async () => {
    const block = await test.rpc.call('eth_getBlockByNumber', ['latest', true]);
    expect(isPlausible('eth_getBlockByNumber', block)).toBe(true);
    expect(await test.rpc.call('eth_getTransactionReceipt', [`0x${'11'.repeat(32)}`])).toBe(null);
    expect(await test.rpc.call('eth_getLogs', [{ fromBlock: '0x0' }])).toEqual([]);
  });
});
