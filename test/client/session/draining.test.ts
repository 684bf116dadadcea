import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobStateMessage } from '../../../shared/protocol/messages.ts';
import { collecting, createWorld, phase, type World } from './world.ts';

/** A session that is joined, with a round open, and whose work has come to an effect of this name. */
function workingOn(name: string): World {
  const world = createWorld(() => collecting(1));
  world.give({ name: 'connected' });
  for (let steps = 0; world.waiting[0]?.name !== name; steps++) {
    if (steps > 20) throw new Error(`${name} is not asked for: ${JSON.stringify(world.state)}`);
    world.succeed();
  }
  return world;
}

const outcome = (world: World) => (world.state.at === 'stopped' ? world.state.outcome : world.state.activity.at);
const names = (world: World) => world.asked.map(({ name }) => name);

describe('draining', () => {
  it.each(['recall', 'fetchModel', 'evaluate', 'train', 'encode'])(
    'declines a round at work on %s, and stops',
    (name) => {
      const world = workingOn(name);
      world.give({ name: 'drainRequested' });
      expect(world.waiting.map((each) => each.name)).toContain('decline');
      expect(world.waiting.map((each) => each.name)).not.toContain(name);
      expect(world.asked.find((each) => each.name === 'decline')).toMatchObject({ code: 'client/stopping' });
      expect(outcome(world)).toBe('declining');
      world.settle();
      expect(outcome(world)).toEqual({ kind: 'aborted' });
      expect(names(world)).not.toContain('sign');
    },
  );

  it.each(['sign', 'offer', 'submit'])('delivers what is at %s, then stops', (name) => {
    const world = workingOn(name);
    world.give({ name: 'drainRequested' });
    expect(world.state.at).toBe('live');
    world.settle();
    expect(outcome(world)).toEqual({ kind: 'aborted' });
    expect([...world.sent.keys()]).toEqual(['0/1']);
    expect(names(world)).not.toContain('decline');
  });

  it('stops at once when it has nothing to deliver', () => {
    const world = createWorld(() => phase('open', 0));
    world.give({ name: 'connected' });
    world.succeed();
    world.give({ name: 'drainRequested' });
    expect(outcome(world)).toEqual({ kind: 'aborted' });
  });

  it('waits for no connection: what is signed stays in the journal', () => {
    const world = workingOn('offer');
    world.give({ name: 'drainRequested' });
    world.give({ name: 'disconnected' });
    expect(outcome(world)).toEqual({ kind: 'aborted' });
  });

  it('takes up no round that opens meanwhile', () => {
    const world = workingOn('submit');
    world.give({ name: 'drainRequested' });
    world.give({ name: 'jobStateReceived', job: collecting(2) });
    world.settle();
    expect(outcome(world)).toEqual({ kind: 'aborted' });
    expect(names(world).filter((name) => name === 'train')).toHaveLength(1);
  });

  it('ends whatever happens, and begins no training after it was asked for', () => {
    const happening = fc.oneof(
      { weight: 6, arbitrary: fc.constant('succeed') },
      { weight: 2, arbitrary: fc.constantFrom('fail', 'connected', 'disconnected') },
      { weight: 2, arbitrary: fc.constantFrom('round 1', 'round 2', 'retry', 'anchoring') },
    );
    const say: Readonly<Record<string, JobStateMessage>> = {
      'round 1': collecting(1),
      'round 2': collecting(2),
      retry: collecting(1, 1),
      anchoring: phase('anchoring'),
    };
    const happen = (world: World, each: string): void => {
      const job = say[each];
      if (job) world.give({ name: 'jobStateReceived', job });
      else if (each === 'succeed') world.succeed();
      else if (each === 'fail') world.fail('refused');
      else world.give({ name: each as 'connected' });
    };
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 25 }), fc.array(happening, { maxLength: 10 }), (before, after) => {
        const world = createWorld(() => collecting(1));
        for (const each of before) happen(world, each);
        world.give({ name: 'drainRequested' });
        const asked = world.asked.length;
        for (const each of after) happen(world, each);
        world.settle();
        expect(world.state.at).toBe('stopped');
        expect(world.asked.slice(asked).filter(({ name }) => name === 'train')).toEqual([]);
      }),
    );
  });
});
