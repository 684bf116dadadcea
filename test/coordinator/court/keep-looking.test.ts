import { expect, it } from 'vitest';
import { keepLooking } from '../../../coordinator/court/keep-looking.ts';
import { createQuietLog } from '../fixture.ts';

it('does every duty at every look, whatever becomes of the others, and tells of a trouble once', async () => {
  const log = createQuietLog();
  const controller = new AbortController();
  const done: string[] = [];
  let looks = 0;
  const failing = async (): Promise<void> => {
    looks++;
    if (looks === 6) return;
    throw new Error(looks < 3 ? 'the chain is away' : 'the chain is another one');
  };
  const last = async (): Promise<void> => {
    done.push('last');
    if (looks === 8) controller.abort();
  };
  const duties = [
    { name: 'first', work: async () => void done.push('first') },
    { name: 'failing', work: failing },
    { name: 'last', work: last },
  ];
  await keepLooking(duties, 0, log, controller.signal);
  expect(done).toEqual(Array.from({ length: 8 }, () => ['first', 'last']).flat());
  expect(log.warnings.map((warning) => /the chain is \w+/.exec(warning)?.[0])).toEqual([
    'the chain is away',
    'the chain is another',
    'the chain is another',
  ]);
});
