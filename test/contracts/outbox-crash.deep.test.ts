import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outbox } from '../../contracts/outbox/outbox.ts';
import type { OutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { startTestChain, type TestChain } from './harness.ts';
import { createLab, type Lab, transfer, until } from './outbox-lab.ts';

let test: TestChain;
beforeAll(async () => {
  test = await startTestChain();
});
afterAll(() => test.close());

/** When a process dies at a call to the node or the store: before it is made, or after it was and its answer is lost. */
type Moment = 'before' | 'after';

interface Scenario {
  /** Sends "x" and whatever must come before. */
  prepare(lab: Lab, outbox: Outbox): Promise<void>;
  /** Makes the next look act; no call is answered meanwhile. */
  trigger?(lab: Lab): Promise<void>;
  /** Starts what is to be interrupted, once calls are counted. */
  act?(outbox: Outbox): void;
  /** Whether it has been gone through without a death. */
  isOver(lab: Lab): boolean;
  /** What must hold in the end. */
  check(lab: Lab): Promise<void>;
}

/** Runs a scenario in a process that dies at the given call, then opens the store again and finishes. */
async function survives(scenario: Scenario, step: number, moment: Moment): Promise<boolean> {
  await using lab = await createLab(test);
  const first = new AbortController();
  let armed = false;
  let gate = Promise.resolve();
  let steps = 0;
  let dead = false;
  const die = (): never => {
    dead = true;
    first.abort();
    throw new Error('killed');
  };
  const through = async <T>(call: () => Promise<T>): Promise<T> => {
    await gate;
    if (dead) die();
    if (!armed) return call();
    steps += 1;
    if (steps <= step) return call();
    if (moment === 'after') await call();
    return die();
  };
  const rpc = lab.altered((_, __, ask) => through(ask));
  const store: OutboxStore = {
    put: (row) => through(() => lab.store.put(row)),
    get: (id) => through(() => lab.store.get(id)),
    all: () => through(() => lab.store.all()),
  };
  const dying = await lab.open({ rpc, store, signal: first.signal, bumpAfterBlocks: 1 });
  await scenario.prepare(lab, dying);
  let openGate = (): void => undefined;
  gate = new Promise((resolve) => {
    openGate = resolve;
  });
  await scenario.trigger?.(lab);
  armed = true;
  openGate();
  scenario.act?.(dying);
  await until(() => dead || scenario.isOver(lab));
  const killed = dead;
  dead = true;
  first.abort();

  await lab.open({ bumpAfterBlocks: 1 });
  await until(async () => {
    await lab.mine();
    return (await lab.store.all()).every(({ state }) => state !== 'pending');
  });
  await scenario.check(lab);
  return killed;
}

async function everywhere(scenario: Scenario): Promise<void> {
  for (const moment of ['before', 'after'] as const) {
    let step = 0;
    while (await survives(scenario, step, moment)) step += 1;
    expect(step).toBeGreaterThan(4);
  }
}

const send = async (lab: Lab, outbox: Outbox): Promise<void> => {
  outbox.send(transfer('x')).catch(() => undefined);
  await lab.pooled('x');
};
const has = (type: string) => (lab: Lab) => lab.notices.some((notice) => notice.type === type);
const onceAndOnly = async (lab: Lab): Promise<void> => {
  expect(await lab.store.get('x')).toMatchObject({ state: 'confirmed' });
  expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
};

describe('a process killed at any call to the node or the store', () => {
  it('while it raises a fee: the transaction is done once', async () => {
    await everywhere({
      prepare: async (lab, outbox) => {
        await send(lab, outbox);
        await lab.looked();
      },
      trigger: (lab) => lab.spike(),
      isOver: has('bumped'),
      check: onceAndOnly,
    });
  }, 120_000);

  it('while it cancels: one of the two is done, and the row tells which', async () => {
    await everywhere({
      prepare: send,
      act: (outbox) => void outbox.cancel('x').catch(() => undefined),
      isOver: has('cancelRequested'),
      check: async (lab) => {
        const row = await lab.store.get('x');
        expect(await lab.sent()).toBe(1);
        expect([row?.state, await lab.received()]).toEqual(row?.cancellation ? ['failed', 0n] : ['confirmed', 1n]);
      },
    });
  }, 120_000);

  it('while it signs again after a foreign transaction took the nonce: the transaction is done once', async () => {
    await everywhere({
      prepare: send,
      trigger: async (lab) => {
        await test.rpc.call('anvil_dropAllTransactions', []);
        await lab.slip(lab.foreign(0));
        await lab.mine();
      },
      isOver: has('nonceTaken'),
      check: async (lab) => {
        expect(await lab.store.get('x')).toMatchObject({ state: 'confirmed', nonce: 1 });
        expect([await lab.sent(), await lab.received()]).toEqual([2, 1001n]);
      },
    });
  }, 120_000);

  it('while it takes up what a reorganization undid: the transaction is done once', async () => {
    await everywhere({
      prepare: async (lab, outbox) => {
        await send(lab, outbox);
        await lab.mine();
        await lab.told('confirmed');
      },
      trigger: (lab) => lab.reorg(1),
      isOver: has('broadcastAgain'),
      check: onceAndOnly,
    });
  }, 120_000);
});
