import { expect, it } from 'vitest';
import { benchClient } from '../../../../simulations/bench/client/client.ts';

it('measures every wire format at every size, from what was learnt to the signature', async () => {
  const told: string[] = [];
  const { text, document } = await benchClient({ d: [1000, 5000], repeats: 1 }, (sentence) => told.push(sentence));
  const measured = document['measured'] as readonly Record<string, number | string>[];
  expect(measured.map(({ d }) => d)).toEqual([...Array(6).fill(1000), ...Array(6).fill(5000)]);
  expect(new Set(measured.map(({ kind }) => kind)).size).toBe(6);
  for (const { bareMs, encodeMs, signMs, beyondMs } of measured) {
    expect(Number(encodeMs)).toBeGreaterThan(0);
    expect(Number(signMs)).toBeGreaterThan(0);
    expect(Number(beyondMs)).toBeCloseTo(Number(encodeMs) + Number(signMs) - Number(bareMs), 6);
  }
  expect(text).toContain('1000, topk, error feedback');
  expect(text).toMatch(/memory +[0-9]+ MiB resident at most, up to d = 5000/);
  expect(told).toHaveLength(12);
  const one = await benchClient({ d: [1000], repeats: 1, format: 'int8' }, () => {});
  expect(one.document['measured']).toMatchObject([{ kind: 'int8' }]);
});
