import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFoundryBinary } from '../../contracts/foundry-binary.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { connectRpc, quantity, toQuantity } from '../../contracts/rpc.ts';
import { ONE_COIN, startTestChain, type TestChain, wallet } from './harness.ts';
import { createLab, transfer, until } from './outbox-lab.ts';
import { type Mood, startProxy } from './rpc-proxy.ts';

let test: TestChain;
beforeAll(async () => {
  test = await startTestChain();
});
afterAll(() => test.close());

const MOODS: Mood[] = [
  'hangs',
  'hangs up',
  'too many requests',
  'bad gateway',
  'not JSON',
  'results of the wrong kind',
];

/** Only where nothing will ever be answered is the wait short: elsewhere a busy machine must not look like a dead node. */
const patience = (mood: Mood): number => (mood === 'hangs' ? 500 : 10_000);

describe('an outbox', () => {
  it.each(MOODS)('whose only node %s says so, and goes on when it is well', async (mood) => {
    await using lab = await createLab(test);
    await using proxy = await startProxy(test.rpc.url);
    const outbox = await lab.open({ rpc: connectRpc({ url: proxy.url, timeoutMs: patience(mood) }) });
    const sending = outbox.send(transfer('patient'));
    await lab.pooled('patient');
    proxy.mood = mood;
    await lab.mine();
    const notice = await lab.told('stalled');
    expect(notice).toMatchObject({ level: 'warn', code: expect.stringMatching(/^ledger\//) });
    expect(outbox.status().lastError?.code).toBe(notice.code);
    expect(outbox.status().pending).toHaveLength(1);
    proxy.mood = 'well';
    await sending;
    await lab.told('resumed');
    expect(outbox.status()).not.toHaveProperty('lastError');
    expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
  });

  it.each(MOODS)('with two nodes, of which the first one %s, notices nothing but the change', async (mood) => {
    await using lab = await createLab(test);
    await using first = await startProxy(test.rpc.url);
    await using second = await startProxy(test.rpc.url);
    const rpc = connectRpc({
      ...{ urls: [first.url, second.url], chainId: 31337n, timeoutMs: patience(mood) },
      onNotice: (notice) => lab.notices.push(notice),
    });
    const outbox = await lab.open({ rpc });
    const sending = outbox.send(transfer('sure'));
    await lab.pooled('sure');
    first.mood = mood;
    await lab.told('failedOver');
    expect(outbox.status().endpoint).toBe(second.url);
    await lab.mine();
    await sending;
    expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
    expect(lab.notices.some(({ type }) => type === 'stalled')).toBe(false);
  });

  it('takes addresses, tells in its own log when another one takes over, and broadcasts there what is pending', async () => {
    await using lab = await createLab(test);
    await using first = await startProxy(test.rpc.url);
    await using second = await startProxy(test.rpc.url);
    const outbox = await lab.open({ rpcUrls: [first.url, second.url], chainId: 31337n });
    const sending = outbox.send(transfer('carried over'));
    await lab.pooled('carried over');
    second.asked.length = 0;
    first.mood = 'hangs up';
    await lab.told('failedOver');
    await until(() => second.asked.includes('eth_sendRawTransaction'));
    await lab.mine();
    await sending;
    expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
  });

  it('that loses every node keeps what is pending and finishes it with the one that returns', async () => {
    await using lab = await createLab(test);
    await using first = await startProxy(test.rpc.url);
    await using second = await startProxy(test.rpc.url);
    const outbox = await lab.open({ rpcUrls: [first.url, second.url] });
    const sending = outbox.send(transfer('kept'));
    await lab.pooled('kept');
    [first.mood, second.mood] = ['hangs up', 'bad gateway'];
    await lab.told('stalled');
    await test.rpc.call('anvil_dropAllTransactions', []);
    second.mood = 'well';
    await lab.told('resumed');
    await lab.told('broadcastAgain');
    await lab.mine();
    await sending;
    expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
  });

  it('stays off a node that came back with another chain', async () => {
    await using lab = await createLab(test);
    await using proxy = await startProxy(test.rpc.url);
    const outbox = await lab.open({ rpc: connectRpc({ url: proxy.url }) });
    const sending = outbox.send(transfer('loyal'));
    await lab.pooled('loyal');
    proxy.mood = 'hangs up';
    await lab.told('stalled');
    proxy.mood = { chainId: '0x1' };
    await until(() => outbox.status().lastError?.code === 'ledger/wrong-chain');
    expect(await lab.store.get('loyal')).toMatchObject({ state: 'pending' });
    proxy.mood = 'well';
    await lab.mine();
    await sending;
    expect(await lab.received()).toBe(1n);
  });

  it('needs an address', async () => {
    await expect(
      createOutbox({ wallet: wallet('nobody'), store: createMemoryOutboxStore(), rpcUrls: [] }),
    ).rejects.toMatchObject({ code: 'ledger/invalid-url' });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a chain node that is killed', () => {
  it('and comes back from its state without the last blocks gets everything again, once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fedanchor-killed-'));
    const signer = wallet('survivor');
    const lifetime = new AbortController();
    let node: ChildProcess | undefined;
    try {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const rpc = connectRpc({ url, timeoutMs: 1000 });
      const start = async (): Promise<ChildProcess> => {
        const state = ['--state', join(folder, 'state.json'), '--state-interval', '3600'];
        const rules = ['--silent', '--accounts', '0', '--hardfork', 'osaka', '--port', String(port)];
        const child = spawn(findFoundryBinary('anvil') as string, [...rules, ...state], { stdio: 'ignore' });
        await until(() =>
          rpc.call('eth_chainId', []).then(
            () => true,
            () => false,
          ),
        );
        return child;
      };
      const end = async (child: ChildProcess, signal: NodeJS.Signals) => {
        child.kill(signal);
        await once(child, 'exit');
      };
      node = await start();
      await rpc.call('anvil_setBalance', [signer.address, toQuantity(ONE_COIN)]);
      const notices: string[] = [];
      const store = createMemoryOutboxStore();
      const outbox = await createOutbox({
        ...{ rpc, wallet: signer, store, pollIntervalMs: 5, idleIntervalMs: 20, signal: lifetime.signal },
        onNotice: ({ type }) => notices.push(type),
      });
      await outbox.send(transfer('saved', 1n));
      // An orderly end writes the state; what follows is lost with the process.
      await end(node, 'SIGINT');
      node = await start();
      await outbox.send(transfer('lost', 10n));
      await outbox.send(transfer('lost too', 100n));
      await end(node, 'SIGKILL');
      await until(() => notices.includes('stalled'));
      node = await start();
      await until(() => notices.filter((type) => type === 'confirmed').length === 5);
      expect(notices.filter((type) => type === 'reorged')).toHaveLength(2);
      const receiver = transfer('saved').to;
      expect(await rpc.call('eth_getBalance', [receiver, 'latest'])).toBe(toQuantity(111));
      expect(quantity(await rpc.call('eth_getTransactionCount', [signer.address, 'latest']))).toBe(3);
      await outbox.send(transfer('after', 1000n));
      expect(await rpc.call('eth_getBalance', [receiver, 'latest'])).toBe(toQuantity(1111));
    } finally {
      lifetime.abort();
      node?.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  });
});
