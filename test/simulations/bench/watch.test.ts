import { afterAll, expect, it } from 'vitest';
import { createEngine } from '../../../shared/runtime/engine/create-engine.ts';
import { benchWatch } from '../../../simulations/bench/watch.ts';

const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

it('measures rounds that the watcher found to hold, downloads apart', async () => {
  const told: string[] = [];
  const options = { n: 5, d: 500, repeats: 2, link: 100 };
  const { text, document } = await benchWatch(engine, options, (sentence) => told.push(sentence));
  const times = document['times'] as readonly Record<string, number>[];
  // The first of the rounds only warms up.
  expect(told).toHaveLength(3);
  expect(times).toHaveLength(2);
  for (const { hashingMs, aggregationMs, watcherMs, downloadMs } of times) {
    for (const each of [hashingMs, aggregationMs, watcherMs, downloadMs]) expect(each).toBeGreaterThan(0);
  }
  expect(document['ratio']).toBeTypeOf('number');
  expect(text).toContain('at 100 MB/s');
});
