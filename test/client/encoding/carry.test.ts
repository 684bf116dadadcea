import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Carry } from '../../../client/encoding/carry.ts';
import { createFileCarry } from '../../../client/encoding/file-carry.ts';
import { createMemoryCarry } from '../../../client/encoding/memory-carry.ts';
import type { Hex } from '../../../shared/bytes.ts';

const JOB: Hex = `0x${'1b'.repeat(32)}`;
const OTHER: Hex = `0x${'2c'.repeat(32)}`;
const PARTICIPANT: Hex = `0x${'0a'.repeat(20)}`;

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-carry-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const files = (folder: string): Carry => createFileCarry({ folder, participant: PARTICIPANT });
const of = (...values: number[]): Float32Array => Float32Array.from(values);
const momentum = 'momentum' as const;

describe.each([
  ['of files', async () => files(await temporaryFolder())],
  ['in memory', async () => createMemoryCarry()],
])('a carry %s', (_name, open) => {
  it('has nothing before the first round, and says so', async () => {
    expect(await (await open()).before(JOB, 1, momentum)).toEqual({
      at: 'none',
      reason: 'nothing is kept of rounds before 1',
    });
  });

  it('gives the next round what the one before it left, and rounds that were missed what was left last', async () => {
    const carry = await open();
    await carry.keep(JOB, 4, momentum, of(1.5, -2, 3e-9));
    expect(await carry.before(JOB, 5, momentum)).toEqual({ at: 'found', round: 4, values: of(1.5, -2, 3e-9) });
    expect(await carry.before(JOB, 9, momentum)).toMatchObject({ round: 4 });
  });

  it('lets another attempt at a round start from what the first one started from', async () => {
    const carry = await open();
    await carry.keep(JOB, 1, momentum, of(1));
    await carry.keep(JOB, 2, momentum, of(2));
    expect(await carry.before(JOB, 2, momentum)).toMatchObject({ round: 1, values: of(1) });
    await carry.keep(JOB, 2, momentum, of(22));
    expect(await carry.before(JOB, 3, momentum)).toMatchObject({ round: 2, values: of(22) });
  });

  it('finds what stood before a round that is taken back, and forgets what came after it', async () => {
    const carry = await open();
    for (const round of [1, 2, 3, 4]) await carry.keep(JOB, round, momentum, of(round));
    expect(await carry.before(JOB, 3, momentum)).toMatchObject({ round: 2, values: of(2) });
    await carry.keep(JOB, 3, momentum, of(33));
    expect(await carry.before(JOB, 9, momentum)).toMatchObject({ round: 3, values: of(33) });
    // Further back than is kept, it starts anew.
    expect(await carry.before(JOB, 2, momentum)).toMatchObject({ at: 'none' });
  });

  it('keeps jobs and names apart', async () => {
    const carry = await open();
    await carry.keep(JOB, 1, momentum, of(1));
    expect(await carry.before(JOB, 2, 'residual')).toMatchObject({ at: 'none' });
    expect(await carry.before(OTHER, 2, momentum)).toMatchObject({ at: 'none' });
  });

  it('has memory of its own', async () => {
    const carry = await open();
    const values = of(1);
    await carry.keep(JOB, 1, momentum, values);
    values[0] = 5;
    expect(await carry.before(JOB, 2, momentum)).toMatchObject({ values: of(1) });
  });
});

describe('a carry of files', () => {
  const filesIn = (folder: string): Promise<string[]> => readdir(join(folder, PARTICIPANT, JOB));

  it('outlives its process', async () => {
    const folder = await temporaryFolder();
    await files(folder).keep(JOB, 7, 'residual', of(0.25));
    expect(await files(folder).before(JOB, 8, 'residual')).toMatchObject({ round: 7, values: of(0.25) });
  });

  it('takes no more disk with more rounds', async () => {
    const folder = await temporaryFolder();
    const carry = files(folder);
    for (let round = 1; round <= 12; round++) {
      await carry.keep(JOB, round, momentum, of(round));
      await carry.keep(JOB, round, 'residual', of(round));
    }
    expect((await filesIn(folder)).sort()).toEqual([
      ...['momentum-round-10.carry', 'momentum-round-11.carry', 'momentum-round-12.carry'],
      ...['residual-round-10.carry', 'residual-round-11.carry', 'residual-round-12.carry'],
    ]);
  });

  it('does not start from what is damaged', async () => {
    const folder = await temporaryFolder();
    await files(folder).keep(JOB, 1, momentum, of(1, 2));
    const file = join(folder, PARTICIPANT, JOB, 'momentum-round-1.carry');
    const whole = await readFile(file);
    for (let at = 0; at < whole.length; at++) {
      await writeFile(
        file,
        whole.map((byte, index) => (index === at ? byte ^ 1 : byte)),
      );
      expect(await files(folder).before(JOB, 2, momentum)).toEqual({ at: 'none', reason: `${file} is damaged` });
    }
    for (const length of [0, 31, 32, 39]) {
      await writeFile(file, whole.subarray(0, length));
      expect(await files(folder).before(JOB, 2, momentum)).toMatchObject({ at: 'none' });
    }
  });

  it('says what is wrong with its folder', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const carry = files(file);
    await expect(carry.keep(JOB, 1, momentum, of(1))).rejects.toMatchObject({ code: 'carry/unavailable' });
    await expect(carry.before(JOB, 1, momentum)).rejects.toMatchObject({ code: 'carry/unavailable' });
  });
});
