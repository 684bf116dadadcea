import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createFreeBytes } from '../../../coordinator/stores/free-bytes.ts';

const GIB = 2 ** 30;

function onDisk(...answers: number[]) {
  const clock = { ms: 0 };
  let asked = 0;
  const freeBytes = createFreeBytes(
    async () => answers[Math.min(asked++, answers.length - 1)] as number,
    () => clock.ms,
  );
  return { clock, freeBytes, asked: () => asked };
}

describe('the free bytes of a disk', () => {
  it('with plenty are asked for once in a moment', async () => {
    const { clock, freeBytes, asked } = onDisk(100 * GIB, 90 * GIB);
    for (clock.ms = 0; clock.ms < 100; clock.ms += 10) expect(await freeBytes('/disk')).toBe(100 * GIB);
    expect(asked()).toBe(1);
    clock.ms = 100;
    expect(await freeBytes('/disk')).toBe(90 * GIB);
  });

  it('that become few are asked for every time, from the first that says so', async () => {
    const { clock, freeBytes } = onDisk(5 * GIB, 4 * GIB, 3 * GIB, 100);
    expect(await freeBytes('/disk')).toBe(5 * GIB);
    clock.ms = 101;
    expect([await freeBytes('/disk'), await freeBytes('/disk'), await freeBytes('/disk')]).toEqual([
      ...[4 * GIB, 3 * GIB, 100],
    ]);
  });

  it('are each disk’s own, and those of a real one are more than none', async () => {
    const { freeBytes, asked } = onDisk(100 * GIB);
    await freeBytes('/disk');
    await freeBytes('/other');
    expect(asked()).toBe(2);
    expect(await createFreeBytes()(tmpdir())).toBeGreaterThan(0);
  });
});
