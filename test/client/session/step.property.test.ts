import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobStateMessage } from '../../../shared/protocol/messages.ts';
import { collecting, createWorld, JOB, phase, type World } from './world.ts';

type Happening =
  | { readonly kind: 'connected' | 'disconnected' | 'crashed' }
  | { readonly kind: 'said'; readonly job: JobStateMessage }
  | { readonly kind: 'succeeded'; readonly which: number }
  | { readonly kind: 'failed'; readonly which: number; readonly severity: 'final' | 'refused' | 'lost' };

const which = fc.nat({ max: 3 });
const round = fc.integer({ min: 1, max: 3 });
const jobState: fc.Arbitrary<JobStateMessage> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(round, fc.nat({ max: 2 })).map(([r, attempt]) => collecting(r, attempt)) },
  { weight: 2, arbitrary: fc.constantFrom('open', 'aggregating', 'anchoring').map((name) => phase(name as 'open')) },
  // A draw that asks as good as nobody, or everybody.
  {
    weight: 2,
    arbitrary: fc.tuple(round, fc.nat({ max: 2 }), fc.constantFrom('00', 'ff')).map(([r, attempt, digit]) => ({
      ...collecting(r, attempt),
      draw: { seedIndex: r - 1, seed: JOB, cut: `0x${digit.repeat(32)}` as const },
    })),
  },
);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('connected' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('disconnected' as const, 'crashed' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('said' as const), job: jobState }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('succeeded' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('failed' as const),
      which,
      // A final failure of the handshake ends the session rightly; all other final failures are covered by `refused`.
      severity: fc.constantFrom('refused' as const, 'lost' as const),
    }),
  },
);

/** Lets things happen; returns the world and what the coordinator said last. */
function live(happenings: readonly Happening[], check: (world: World) => void): { world: World; say: Say } {
  let job: JobStateMessage = phase('open', 0);
  const world = createWorld(() => job);
  const say: Say = (next) => {
    job = next;
    world.give({ name: 'jobStateReceived', job });
  };
  for (const each of happenings) {
    const effect = 'which' in each ? world.waiting[each.which] : undefined;
    switch (each.kind) {
      case 'connected':
      case 'disconnected':
        world.give({ name: each.kind });
        break;
      case 'crashed':
        world.crash();
        break;
      case 'said':
        say(each.job);
        break;
      case 'succeeded':
        if (effect) world.succeed(effect);
        break;
      case 'failed':
        // Handshakes refused three times in a row end the session rightly, so here they only get lost.
        if (effect) world.fail(effect.name === 'openSession' ? 'lost' : each.severity, effect);
        break;
    }
    check(world);
  }
  return { world, say };
}

type Say = (job: JobStateMessage) => void;

describe('step, whatever happens', () => {
  const happenings = fc.array(happening, { maxLength: 120 });

  it('never sends two roots for one round and attempt, crashes included', () => {
    fc.assert(
      fc.property(happenings, (events) => {
        const { world } = live(events, () => {});
        for (const roots of world.sent.values()) expect(roots.size).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  it('always waits for something that will come', () => {
    fc.assert(
      fc.property(happenings, (events) => {
        live(events, ({ state, waiting }) => {
          if (state.at === 'stopped') return;
          const tickets = waiting.map(({ ticket }) => ticket);
          const { link, activity } = state;
          if (link.at === 'opening') expect(tickets).toContain(link.ticket);
          if (activity.at === 'idle') return;
          if (activity.ticket === null) expect(link.at).not.toBe('open');
          else expect(tickets).toContain(activity.ticket);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('never has two pieces of work for rounds under way', () => {
    const aside = ['openSession', 'reportMetrics', 'rejoin', 'checkDraw'];
    fc.assert(
      fc.property(happenings, (events) => {
        live(events, ({ waiting }) => {
          expect(waiting.filter(({ name }) => !aside.includes(name)).length).toBeLessThanOrEqual(1);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('never wedges: once things go well it answers the open round and ends with the job', () => {
    fc.assert(
      fc.property(happenings, round, (events, last) => {
        const { world, say } = live(events, () => {});
        expect(world.state.at).toBe('live');
        world.give({ name: 'disconnected' });
        world.give({ name: 'connected' });
        world.settle();
        say(collecting(last, 7));
        world.settle();
        expect(world.sent.get(`7/${last}`)?.size).toBe(1);
        expect(world.state).toMatchObject({ activity: { at: 'idle' }, settled: { round: last, attempt: 7 } });
        say(phase('closed', 3));
        world.settle();
        expect(world.state).toMatchObject({ at: 'stopped', outcome: { kind: 'closed' } });
      }),
      { numRuns: 500 },
    );
  });
});
