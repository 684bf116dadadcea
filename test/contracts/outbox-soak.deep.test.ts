import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outbox } from '../../contracts/outbox/outbox.ts';
import type { Hex } from '../../shared/bytes.ts';
import { startTestChain, type TestChain } from './harness.ts';
import { createLab, type Lab, transfer, until } from './outbox-lab.ts';

let test: TestChain;
beforeAll(async () => {
  test = await startTestChain();
});
afterAll(() => test.close());

const CONFIRMATIONS = 3;

type Event =
  | { readonly type: 'send' | 'spike' | 'drop' | 'foreign' | 'vanishing' | 'echo' | 'restart' }
  | { readonly type: 'mine' | 'reorg' | 'look' | 'cancel'; readonly count: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ type: 'send' as const }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('look' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('mine' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  // Never deeper than what was asked to be safe from.
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('reorg' as const),
      count: fc.integer({ min: 1, max: CONFIRMATIONS - 1 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('cancel' as const), count: fc.nat(10) }) },
  { weight: 2, arbitrary: fc.constantFrom<Event>({ type: 'spike' }, { type: 'drop' }) },
  { weight: 2, arbitrary: fc.constantFrom<Event>({ type: 'foreign' }, { type: 'restart' }) },
  { weight: 2, arbitrary: fc.constantFrom<Event>({ type: 'echo' }, { type: 'vanishing' }) },
);

/** Goes through the events, then mines until nothing is pending. */
async function live(lab: Lab, events: readonly Event[]): Promise<void> {
  let lifetime = new AbortController();
  const broadcast = new Set<Hex>();
  const rpc = lab.altered((method, parameters, ask) => {
    if (method === 'eth_sendRawTransaction') broadcast.add(parameters[0] as Hex);
    return ask();
  });
  const ids: string[] = [];
  const open = (): Promise<Outbox> => {
    lifetime = new AbortController();
    const { signal } = lifetime;
    return lab.open({ rpc, confirmations: CONFIRMATIONS, bumpAfterBlocks: 2, signal });
  };
  let outbox = await open();
  // Each id moves an amount of its own, a power of two, so that the sum tells what was done, and how often.
  const send = (id: string): void => void outbox.send(transfer(id, 2n ** BigInt(id))).catch(() => undefined);
  // The node may prefer what it has.
  const foreign = async () => lab.slip(lab.foreign(await lab.sent(), 0n)).catch(() => undefined);
  // Other nodes remember whatever was broadcast once, and pass it on at any time.
  const echo = async (): Promise<void> => {
    for (const raw of broadcast) await lab.slip(raw).catch(() => undefined);
  };
  // No reorganization reaches back to before the wallet was funded.
  await lab.mine(CONFIRMATIONS);
  for (const happening of events) {
    switch (happening.type) {
      case 'send':
        ids.push(String(ids.length));
        send(ids.at(-1) as string);
        break;
      case 'look':
        await lab.looked(happening.count);
        break;
      case 'mine':
        await lab.mine(happening.count);
        break;
      case 'reorg':
        await lab.reorg(happening.count);
        break;
      case 'cancel':
        outbox.cancel(String(happening.count)).catch(() => undefined);
        break;
      case 'spike':
        await lab.spike();
        break;
      case 'drop':
        await test.rpc.call('anvil_dropAllTransactions', []);
        break;
      case 'foreign':
        await foreign();
        break;
      case 'vanishing':
        // A foreign transaction is mined, seen for a while, and lost; what it displaced comes back.
        await test.rpc.call('anvil_dropAllTransactions', []);
        await foreign();
        await lab.mine();
        await lab.looked(5);
        await lab.reorg(1);
        await echo();
        break;
      case 'echo':
        await echo();
        break;
      case 'restart':
        lifetime.abort();
        outbox = await open();
        ids.forEach(send);
    }
  }
  await until(async () => {
    await lab.mine();
    await lab.looked();
    const rows = await lab.store.all();
    return ids.every((id) => rows.some((row) => row.id === id)) && rows.every(({ state }) => state !== 'pending');
  });
  lifetime.abort();
}

describe('whatever happens to the chain, within the depth that is asked for', () => {
  it('each transaction is done once if its row says so, and never otherwise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), async (events) => {
        await using lab = await createLab(test);
        await live(lab, events);
        const done = (await lab.store.all()).filter(({ id, state }) => state === 'confirmed' && /^\d+$/.test(id));
        const expected = done.reduce((sum, { id }) => sum + 2n ** BigInt(id), 0n);
        expect(await lab.received()).toBe(expected);
      }),
      // The whole of a failing run is printed with its seed.
      { numRuns: Number(process.env['SOAK_RUNS'] ?? 100), endOnFailure: true },
    );
  });
});
