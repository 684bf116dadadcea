import { describe, expect, it } from 'vitest';
import { step } from '../../../client/session/step.ts';
import type { JobStateMessage } from '../../../shared/protocol/messages.ts';
import { collecting, createWorld, phase, plan, type World } from './world.ts';

/** A joined session; `job` is what the coordinator says when asked. */
function joined(first: JobStateMessage = phase('open', 0)): { world: World; say(job: JobStateMessage): void } {
  let job = first;
  const world = createWorld(() => job);
  world.give({ name: 'connected' });
  world.succeed();
  return {
    world,
    say: (next) => {
      job = next;
      world.give({ name: 'jobStateReceived', job });
    },
  };
}

/** Ends waiting work well until an effect of this name waits. */
function until(world: World, name: string): void {
  for (let steps = 0; world.waiting[0]?.name !== name; steps++) {
    if (steps > 20) throw new Error(`${name} is not asked for: ${JSON.stringify(world.state)}`);
    world.succeed();
  }
}

const names = (world: World) => world.asked.map(({ name }) => name);
const activity = (world: World) => (world.state.at === 'live' ? world.state.activity.at : 'stopped');

describe('step', () => {
  it('answers an open round from the journal to the receipt, metrics included', () => {
    const { world, say } = joined();
    say(collecting(1));
    world.settle();
    const work = names(world).filter((name) => name !== 'upload');
    expect(work).toEqual([
      'openSession',
      'recall',
      'fetchModel',
      'evaluate',
      'reportMetrics',
      'train',
      'encode',
      'sign',
      'offer',
      'submit',
    ]);
    expect(world.state).toMatchObject({ activity: { at: 'idle' }, settled: { round: 1, attempt: 0 } });
  });

  it('takes up a round that was open before it joined', () => {
    const { world } = joined(collecting(4, 2));
    world.settle();
    expect([...world.sent.keys()]).toEqual(['2/4']);
  });

  it('answers each attempt once however often it is told of it', () => {
    const { world, say } = joined();
    for (let times = 0; times < 3; times++) {
      say(collecting(1));
      world.settle();
    }
    expect(names(world).filter((name) => name === 'train')).toHaveLength(1);
    say(collecting(1, 1));
    world.settle();
    expect(names(world).filter((name) => name === 'train')).toHaveLength(2);
  });

  it('evaluates each model once, also when a round is tried again from it', () => {
    const { world, say } = joined();
    const first = collecting(1);
    say(first);
    world.settle();
    say({ ...collecting(1, 1), plan: { ...plan(1, 1), parentRoot: plan(1).parentRoot } });
    world.settle();
    expect(names(world).filter((name) => name === 'evaluate')).toHaveLength(1);
    expect(names(world).filter((name) => name === 'train')).toHaveLength(2);
  });

  it('reports the model of the round before, the model before round 1 included', () => {
    const { world, say } = joined();
    for (const round of [1, 2]) {
      say(collecting(round));
      world.settle();
    }
    say(phase('closed', 2));
    world.settle();
    const reports = world.asked.flatMap((effect) =>
      effect.name === 'reportMetrics' ? [[effect.round, effect.modelRoot]] : [],
    );
    expect(reports).toEqual([
      [0, plan(1).parentRoot],
      [1, plan(2).parentRoot],
      [2, phase('closed', 2).modelRoot],
    ]);
    expect(world.state).toEqual({
      at: 'stopped',
      outcome: { kind: 'closed', rounds: 2, modelRoot: phase('closed', 2).modelRoot },
    });
  });

  it.each(['recall', 'fetchModel', 'evaluate', 'train', 'encode', 'sign', 'offer', 'submit'])(
    'drops stale work when a newer round opens during %s',
    (during) => {
      const { world, say } = joined();
      say(collecting(1));
      until(world, during);
      const { ticket } = world.waiting[0] ?? { ticket: -1 };
      say(collecting(2));
      expect(world.asked).toContainEqual({ name: 'cancel', ticket });
      world.settle();
      expect(world.state).toMatchObject({ settled: { round: 2, attempt: 0 } });
    },
  );

  it('stops training when collection has closed, and goes on with the next attempt', () => {
    const { world, say } = joined();
    say(collecting(1));
    until(world, 'train');
    say(phase('aggregating', 0));
    expect(world.waiting.filter(({ name }) => name === 'train')).toEqual([]);
    expect(activity(world)).toBe('idle');
    say(collecting(1, 1));
    world.settle();
    expect([...world.sent.keys()]).toEqual(['1/1']);
  });

  it('still asks for its receipt when collection closes after it signed', () => {
    const { world, say } = joined();
    say(collecting(1));
    until(world, 'offer');
    say(phase('aggregating', 0));
    world.settle();
    expect(names(world)).toContain('submit');
  });

  it('declines with the code of a training that failed, then waits for the next round', () => {
    const { world, say } = joined();
    say(collecting(1));
    until(world, 'train');
    world.fail('final');
    expect(world.waiting).toMatchObject([{ name: 'decline', plan: plan(1), code: 'test/train' }]);
    world.settle();
    say(collecting(1));
    expect(activity(world)).toBe('idle');
    say(collecting(2));
    world.settle();
    expect([...world.sent.keys()]).toEqual(['0/2']);
  });

  it('trains although evaluation failed', () => {
    const { world, say } = joined();
    say(collecting(1));
    until(world, 'evaluate');
    world.fail('final');
    world.settle();
    expect([...world.sent.keys()]).toEqual(['0/1']);
  });

  it('goes on training through a lost connection', () => {
    const { world, say } = joined();
    say(collecting(1));
    until(world, 'train');
    const before = names(world).length;
    world.give({ name: 'disconnected' });
    expect(names(world).slice(before)).toEqual([]);
    for (const work of ['train', 'encode', 'sign']) world.succeed(world.waiting.find(({ name }) => name === work));
    expect(activity(world)).toBe('holding');
    world.give({ name: 'connected' });
    world.settle();
    expect(names(world).filter((name) => name === 'train')).toHaveLength(1);
    expect(world.state).toMatchObject({ settled: { round: 1 } });
  });

  it.each(['offer', 'upload', 'submit'])(
    'sends the same update again after the connection is lost during %s',
    (during) => {
      const { world, say } = joined();
      say(collecting(1));
      until(world, 'offer');
      const { ticket } = world.waiting[0] ?? { ticket: -1 };
      if (during !== 'offer') world.give({ name: 'updateOffered', ticket, missing: during === 'upload' ? [0] : [] });
      world.waiting.splice(
        0,
        world.waiting.findIndex(({ name }) => name === during),
      );
      expect(world.waiting[0]?.name).toBe(during);
      world.give({ name: 'disconnected' });
      expect(world.waiting).toEqual([]);
      world.give({ name: 'connected' });
      world.settle();
      expect(world.sent.get('0/1')?.size).toBe(1);
      expect(names(world).filter((name) => name === 'sign')).toHaveLength(1);
      expect(world.state).toMatchObject({ settled: { round: 1 } });
    },
  );

  it('sends after a crash what was signed before it, without training', () => {
    const { world, say } = joined();
    say(collecting(1));
    until(world, 'offer');
    world.crash();
    world.give({ name: 'connected' });
    world.settle();
    expect(world.sent.get('0/1')?.size).toBe(1);
    expect(names(world).filter((name) => name === 'train')).toHaveLength(1);
  });

  it('offers again after a refusal, and gives up after three', () => {
    const { world, say } = joined();
    say(collecting(1));
    for (let times = 0; times < 3; times++) {
      until(world, 'offer');
      world.fail('refused');
    }
    expect(world.waiting).toEqual([]);
    expect(world.state).toMatchObject({ activity: { at: 'idle' }, settled: { round: 1 } });
  });

  it('still asks for its receipt when collection closed while the connection was down', () => {
    let job: JobStateMessage = collecting(1);
    const world = createWorld(() => job);
    world.give({ name: 'connected' });
    until(world, 'submit');
    world.give({ name: 'disconnected' });
    job = phase('anchoring', 0);
    world.give({ name: 'connected' });
    world.settle();
    expect(names(world).filter((name) => name === 'submit')).toHaveLength(2);
    expect(world.state).toMatchObject({ settled: { round: 1 } });
  });

  it('does not count what had no answer among refusals', () => {
    const { world, say } = joined();
    say(collecting(1));
    for (const severity of ['refused', 'refused', 'lost', 'lost'] as const) {
      until(world, 'offer');
      world.fail(severity);
    }
    world.settle();
    expect(names(world)).toContain('submit');
  });

  it('never gives up what had no answer', () => {
    const { world, say } = joined();
    say(collecting(1));
    for (let times = 0; times < 20; times++) {
      until(world, 'offer');
      world.fail('lost');
    }
    world.settle();
    expect(names(world)).toContain('submit');
  });

  it('stops with the refusal after three refused handshakes, at once after a final failure', () => {
    const world = createWorld(() => phase('open'));
    for (let times = 0; times < 3; times++) {
      world.give({ name: 'connected' });
      world.fail('refused');
    }
    const outcome = { kind: 'refused', code: 'test/openSession', message: 'it failed' };
    expect(world.state).toEqual({ at: 'stopped', outcome });
    expect(names(world).filter((name) => name === 'reconnect')).toHaveLength(2);

    const other = createWorld(() => phase('open'));
    other.give({ name: 'connected' });
    other.fail('final');
    expect(other.state).toEqual({ at: 'stopped', outcome });
  });

  it('reconnects for ever when the handshake gets no answer', () => {
    const world = createWorld(() => phase('open'));
    for (let times = 0; times < 10; times++) {
      world.give({ name: 'connected' });
      world.fail('lost');
    }
    expect(world.state.at).toBe('live');
    expect(names(world).filter((name) => name === 'reconnect')).toHaveLength(10);
  });

  it('does not work before it has joined, and takes up what it heard while it was joining', () => {
    const world = createWorld(() => phase('open'));
    world.give({ name: 'jobStateReceived', job: collecting(1) });
    world.give({ name: 'connected' });
    world.give({ name: 'jobStateReceived', job: collecting(2) });
    expect(names(world)).toEqual(['openSession']);
    world.settle();
    expect([...world.sent.keys()]).toEqual(['0/2']);
  });

  it('ends when the job failed, saying why', () => {
    const { world, say } = joined();
    say(collecting(1));
    until(world, 'train');
    say(phase('failed'));
    expect(world.state).toEqual({ at: 'stopped', outcome: { kind: 'failed', reason: 'quorum missed' } });
    expect(names(world).at(-1)).toBe('cancel');
  });

  it.each(['fetchModel', 'evaluate', 'reportMetrics'])(
    'ends closed although %s of the final model failed',
    (during) => {
      const { world, say } = joined();
      say(phase('closed', 3));
      until(world, during);
      world.fail('lost');
      expect(world.state).toMatchObject({ at: 'stopped', outcome: { kind: 'closed', rounds: 3 } });
    },
  );

  it('ends closed when the coordinator goes away after closing', () => {
    const { world, say } = joined();
    say(phase('closed', 3));
    world.give({ name: 'disconnected' });
    expect(world.state).toMatchObject({ at: 'stopped', outcome: { kind: 'closed', rounds: 3 } });
  });

  it('stops when told to, cancelling what is under way', () => {
    const { world, say } = joined();
    say(collecting(1));
    until(world, 'train');
    const { ticket } = world.waiting.find(({ name }) => name === 'train') ?? { ticket: -1 };
    world.give({ name: 'stopRequested' });
    expect(world.state).toEqual({ at: 'stopped', outcome: { kind: 'aborted' } });
    expect(world.asked.at(-1)).toEqual({ name: 'cancel', ticket });
  });

  it('ignores an answer that nobody waits for', () => {
    const { world, say } = joined();
    say(collecting(1));
    const before = world.state;
    world.give({ name: 'modelFetched', ticket: 999, model: new Int32Array(3) });
    expect(world.state).toBe(before);
  });

  it('names state and event when work answers with what it cannot end in', () => {
    const { world, say } = joined();
    say(collecting(1));
    const { ticket } = world.waiting[0] ?? { ticket: -1 };
    expect(() => step(world.state, { name: 'partsUploaded', ticket })).toThrow(
      expect.objectContaining({
        code: 'session/unexpected-event',
        data: { at: 'recalling', event: 'partsUploaded' },
      }),
    );
  });

  it('does not change the state it is given', () => {
    const { world } = joined(collecting(1));
    const before = structuredClone(world.state);
    step(world.state, { name: 'disconnected' });
    expect(world.state).toEqual(before);
  });
});
