import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { epsilonOf, noiseWithin } from '../../../client/privacy/accountant.ts';
import { createPrivacyGuard, type PrivacySpent } from '../../../client/privacy/privacy-guard.ts';
import { createPrivacyLedger } from '../../../client/privacy/privacy-ledger.ts';
import { parsePrivacyOptions, requireOwnData } from '../../../client/privacy/privacy-options.ts';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { createRng } from '../../../shared/rng.ts';
import { makeFolder } from '../data/temporary-folder.ts';

const job = `0x${'ab'.repeat(32)}` as const;
const layout = layoutOf([{ name: 'kernel', shape: [10], fractionBits: 24, preScaleBits: 0 }]);
const learnt = [new Float32Array(10).fill(0.01)];
const round = (number: number, attempt = 0) => ({ job, round: number, attempt, updateBits: 8 });
const privacy = { clip: 0.5, noise: noiseWithin(8, 1e-5, 3), epsilon: 8, delta: 1e-5 };

function guardIn(folder: string, told: PrivacySpent[] = []) {
  const ledger = createPrivacyLedger(folder);
  const guard = createPrivacyGuard({ privacy, ledger, onSpent: (spent) => told.push(spent) });
  return { ...guard, publish: (at: ReturnType<typeof round>) => guard.encode(layout, learnt, at, createRng(1)) };
}

describe('createPrivacyGuard', () => {
  it('pays for each update, tells what was spent, and refuses when the budget is used up', async () => {
    const folder = await makeFolder({});
    const told: PrivacySpent[] = [];
    const guard = guardIn(folder, told);
    expect(await guard.spent()).toMatchObject({ rho: 0, epsilon: 0, budget: 8, updatesLeft: 3 });
    for (const number of [1, 2, 3]) {
      await guard.admit(round(number));
      await guard.publish(round(number));
    }
    expect(told.map(({ updatesLeft }) => updatesLeft)).toEqual([2, 1, 0]);
    expect(told.map(({ epsilon }) => epsilon)).toEqual(
      [1, 2, 3].map((updates) => epsilonOf(updates * (told[0]?.rho ?? 0), 1e-5)),
    );
    expect(told[2]?.epsilon).toBeLessThanOrEqual(8);
    await expect(guard.admit(round(4))).rejects.toMatchObject({ code: 'privacy/budget-spent', data: { budget: 8 } });
    await expect(guard.publish(round(4))).rejects.toMatchObject({ code: 'privacy/budget-spent' });
    expect((await readdir(join(folder, 'privacy'))).length).toBe(3);
  });

  it('remembers over a restart, and counts an attempt that is made again', async () => {
    const folder = await makeFolder({});
    const first = await guardIn(folder).publish(round(1));
    const again = await guardIn(folder).publish(round(1));
    expect(again.vector).not.toEqual(first.vector);
    expect(await guardIn(folder).spent()).toMatchObject({ updatesLeft: 1 });
  });

  it('counts other jobs too: they speak about the same data', async () => {
    const folder = await makeFolder({});
    await guardIn(folder).publish(round(1));
    await guardIn(folder).publish({ ...round(1), job: `0x${'cd'.repeat(32)}` });
    expect(await guardIn(folder).spent()).toMatchObject({ updatesLeft: 1 });
  });

  it('has written the expense before there is anything to send', async () => {
    const folder = await makeFolder({});
    const guard = createPrivacyGuard({
      privacy,
      ledger: createPrivacyLedger(folder),
      random: {
        below: () => {
          throw new Error('crashed before any noise was drawn');
        },
      },
    });
    await expect(guard.encode(layout, learnt, round(1), createRng(1))).rejects.toThrow('crashed');
    expect(await readdir(join(folder, 'privacy'))).toEqual(['expense-000001.json']);
  });

  it('lets racing processes overspend by nothing', async () => {
    const folder = await makeFolder({});
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, number) => guardIn(folder).publish(round(number + 1))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(3);
    expect((await readdir(join(folder, 'privacy'))).filter((name) => name.endsWith('.json')).length).toBe(3);
  });

  it.each([
    ['a file that is cut', async (file: string) => writeFile(file, (await readFile(file, 'utf8')).slice(0, 20))],
    ['a total that is no number', async (file: string) => writeFile(file, '{"version":1,"total":"0"}')],
  ])('publishes nothing on a ledger with %s', async (_, damage) => {
    const folder = await makeFolder({});
    await guardIn(folder).publish(round(1));
    await damage(join(folder, 'privacy', 'expense-000001.json'));
    await expect(guardIn(folder).publish(round(2))).rejects.toMatchObject({ code: 'privacy/ledger-damaged' });
    await expect(guardIn(folder).admit(round(2))).rejects.toMatchObject({ code: 'privacy/ledger-damaged' });
  });

  it('misses an expense that was taken away', async () => {
    const folder = await makeFolder({});
    for (const number of [1, 2, 3]) await guardIn(folder).publish(round(number));
    await rm(join(folder, 'privacy', 'expense-000001.json'));
    await expect(guardIn(folder).spent()).rejects.toMatchObject({ code: 'privacy/ledger-damaged' });
  });

  it('says when the ledger cannot be written', async () => {
    const folder = await makeFolder({ privacy: 'a file where the folder should be' });
    await expect(guardIn(folder).publish(round(1))).rejects.toMatchObject({ code: 'privacy/ledger-unavailable' });
  });

  it('refuses a scale that does not fit before anything is spent', async () => {
    const folder = await makeFolder({});
    await expect(guardIn(folder).admit({ ...round(1), updateBits: 20 })).rejects.toMatchObject({
      code: 'privacy/scale-too-fine',
    });
    await expect(guardIn(folder).publish({ ...round(1), updateBits: 20 })).rejects.toMatchObject({
      code: 'privacy/scale-too-fine',
    });
    expect(await guardIn(folder).spent()).toMatchObject({ rho: 0 });
  });
});

describe('parsePrivacyOptions', () => {
  it.each([
    ['a clip of zero', { clip: 0 }, 'clip'],
    ['noise that protects nothing', { noise: 0.01 }, 'noise'],
    ['noise beyond what an update holds', { clip: 100, noise: 50 }, 'noise'],
    ['no budget', { epsilon: undefined }, 'epsilon'],
    ['a delta that is no chance at all to be safe', { delta: 0.5 }, 'delta'],
    ['a name it does not know', { sigma: 3 }, 'privacy'],
  ])('refuses %s', (_, change, field) => {
    expect(() => parsePrivacyOptions({ ...privacy, ...change })).toThrow(
      expect.objectContaining({ code: 'privacy/bad-option', data: { field } }),
    );
  });

  it('takes what is right', () => {
    expect(parsePrivacyOptions(privacy)).toEqual(privacy);
  });
});

describe('requireOwnData', () => {
  it('lets noise lie over data of one’s own only', () => {
    requireOwnData(undefined, true);
    requireOwnData(privacy, false);
    expect(() => requireOwnData(privacy, true)).toThrow(expect.objectContaining({ code: 'privacy/published-data' }));
  });
});
