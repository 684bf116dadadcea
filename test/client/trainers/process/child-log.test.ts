import { expect, it } from 'vitest';
import type { Log } from '../../../../client/log.ts';
import { createChildLog } from '../../../../client/trainers/process/child-log.ts';

/** A child's log with a clock of its own, and what was told. */
function listen() {
  const told: { trainer?: string; lines?: number }[] = [];
  const tell = (fields: Readonly<Record<string, unknown>>): void => void told.push(fields);
  const clock = { now: 0 };
  const log = { debug: tell, info: tell, warn: tell, error: tell } as unknown as Log;
  const reader = createChildLog(log, () => clock.now);
  return { told, clock, say: (text: string) => reader.push(Buffer.from(text)), end: () => reader.end() };
}

it('cuts long lines and takes control characters out', () => {
  const { told, say, end } = listen();
  say(`first\r\n\u001b[31msecond\u001b[0m\n${'long '.repeat(1000)}\nlast`);
  end();
  expect(told.slice(0, 2)).toEqual([{ trainer: 'first' }, { trainer: ' [31msecond [0m' }]);
  expect(told[2]?.trainer).toMatch(/^(long ){399}.* …$/);
  expect(told.slice(3)).toEqual([{ trainer: 'last' }]);
});

it('tells 200 lines of a flood and counts the others', () => {
  const { told, say, end } = listen();
  for (let line = 0; line < 503; line++) say(`flood ${line}\n`);
  expect(told).toHaveLength(200);
  end();
  expect(told.slice(199)).toEqual([{ trainer: 'flood 199' }, { lines: 303 }]);
});

it('tells again after ten seconds, and what was left out before', () => {
  const { told, clock, say, end } = listen();
  for (let line = 0; line < 250; line++) say(`flood ${line}\n`);
  clock.now = 10_000;
  say('later\n');
  end();
  expect(told.slice(200)).toEqual([{ lines: 50 }, { trainer: 'later' }]);
});
