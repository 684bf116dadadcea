import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SignedUpdate } from '../../../client/journal/submission-journal.ts';
import type { SessionEffect, WorkEffect } from '../../../client/session/effects.ts';
import type { Receipt } from '../../../shared/commitments/receipt.ts';
import type { JobStateMessage } from '../../../shared/protocol/messages.ts';
import type { RoundPlan } from '../../../shared/round/plan.ts';
import { collecting, createWorld, phase, plan, type World } from './world.ts';

/** A world whose coordinator takes an update for the round that is open, and calls all others late. */
class Federation {
  job: JobStateMessage = phase('open', 0);
  readonly world: World;
  /** What was accepted, by the round and attempt that it was signed for. */
  readonly accepted = new Map<string, SignedUpdate>();

  constructor(maxStaleness = 2) {
    this.world = createWorld(() => this.job, {
      maxStaleness,
      verdictOn: (update) => this.#judge(update),
      takes: (update) => this.#isFor(update, this.job.plan),
    });
  }

  say(job: JobStateMessage): void {
    this.job = job;
    this.world.give({ name: 'jobStateReceived', job });
  }

  #isFor({ statement: { round, attempt } }: SignedUpdate, open: RoundPlan | null): boolean {
    return open?.round === round && open.attempt === attempt;
  }

  #judge(update: SignedUpdate): Receipt['verdict'] {
    const { round, attempt } = update.statement;
    const key = `${attempt}/${round}`;
    const before = this.accepted.get(key);
    if (before) return before.statement.updateRoot === update.statement.updateRoot ? 'accepted' : 'rejected';
    if (!this.#isFor(update, this.job.plan)) return 'late';
    this.accepted.set(key, update);
    return 'accepted';
  }
}

const activity = ({ state }: World): string => (state.at === 'live' ? state.activity.at : state.at);
const asked = ({ asked: effects }: World, name: SessionEffect['name']): SessionEffect[] =>
  effects.filter((effect) => effect.name === name);
const plansOf = (world: World, name: 'train' | 'encode'): RoundPlan[] =>
  asked(world, name).map((effect) => (effect as Extract<WorkEffect, { readonly plan: RoundPlan }>).plan);

/** Has the work before this one done, and leaves it waiting. */
function until(world: World, name: WorkEffect['name']): void {
  for (let steps = 0; !world.waiting.some((effect) => effect.name === name); steps++) {
    if (steps > 50 || world.waiting.length === 0) throw new Error(`no ${name}: ${JSON.stringify(world.state)}`);
    world.succeed();
  }
}

function training(maxStaleness = 2): Federation {
  const federation = new Federation(maxStaleness);
  federation.job = collecting(1);
  federation.world.give({ name: 'connected' });
  until(federation.world, 'train');
  return federation;
}

const finish = (world: World, name: WorkEffect['name']): void =>
  world.succeed(world.waiting.find((effect) => effect.name === name));

describe('a client of a buffered job', () => {
  it('goes on training when its round closes, and offers what it learnt to the round that is open then', () => {
    const federation = training();
    const { world } = federation;
    for (const next of [phase('aggregating', 0), phase('anchoring', 0), collecting(2), phase('aggregating', 1)]) {
      federation.say(next);
    }
    federation.say(collecting(3));
    expect(activity(world)).toBe('training');
    world.settle();
    expect(plansOf(world, 'train')).toEqual([plan(1)]);
    expect(plansOf(world, 'encode')).toEqual([plan(3)]);
    expect([...federation.accepted.values()].map(({ statement }) => statement)).toMatchObject([
      { round: 3, attempt: 0, parentRoot: plan(1).parentRoot },
    ]);
    expect(activity(world)).toBe('idle');
  });

  it('says that it is there when a round opens without it, so that a deadline has not lost it', () => {
    const federation = training();
    federation.say(phase('aggregating', 0));
    expect(asked(federation.world, 'rejoin')).toHaveLength(0);
    federation.say(collecting(2));
    federation.say(collecting(2));
    expect(asked(federation.world, 'rejoin')).toHaveLength(1);
    federation.say(phase('open', 1));
    expect(asked(federation.world, 'rejoin')).toHaveLength(2);
  });

  it('keeps what it learnt while no round is open', () => {
    const federation = training();
    const { world } = federation;
    federation.say(phase('anchoring', 0));
    finish(world, 'train');
    expect(activity(world)).toBe('waiting');
    federation.say(collecting(2));
    world.settle();
    expect(federation.accepted.get('0/2')?.statement.parentRoot).toBe(plan(1).parentRoot);
  });

  it('begins anew once its model is too old to be taken', () => {
    const federation = training(1);
    const { world } = federation;
    federation.say(collecting(2));
    expect(activity(world)).toBe('training');
    federation.say(collecting(3));
    expect(activity(world)).toBe('recalling');
    world.settle();
    expect(plansOf(world, 'train')).toEqual([plan(1), plan(3)]);
    expect(federation.accepted.get('0/3')?.statement.parentRoot).toBe(plan(3).parentRoot);
  });

  it.each(['offer', 'submit'] as const)(
    'offers to the next round what came too late to %s, signed anew for it',
    (name) => {
      const federation = training();
      const { world } = federation;
      finish(world, 'train');
      until(world, name);
      federation.say(collecting(2));
      world.settle();
      expect(plansOf(world, 'train')).toEqual([plan(1)]);
      expect(plansOf(world, 'encode')).toEqual([plan(1), plan(2)]);
      expect([...federation.accepted.keys()]).toEqual(['0/2']);
    },
  );

  it('asks for the receipt first where its upload is refused: what was accepted before is not offered twice', () => {
    const federation = training();
    const { world } = federation;
    finish(world, 'train');
    until(world, 'submit');
    // The submission arrives, its answer does not.
    const submission = world.waiting.find(({ name }) => name === 'submit');
    if (submission?.name !== 'submit') throw new Error('nothing is submitted');
    federation.accepted.set('0/1', submission.update);
    world.give({ name: 'disconnected' });
    federation.job = collecting(2);
    world.give({ name: 'connected' });
    world.settle();
    expect(plansOf(world, 'train')).toEqual([plan(1), plan(2)]);
    expect([...federation.accepted.values()].map(({ statement }) => statement.parentRoot)).toEqual([
      plan(1).parentRoot,
      plan(2).parentRoot,
    ]);
  });

  it('answers the next round at once when one closes while it is still delivering', () => {
    const federation = training();
    const { world } = federation;
    finish(world, 'train');
    until(world, 'submit');
    const submission = world.waiting.find(({ name }) => name === 'submit');
    if (submission?.name === 'submit') federation.accepted.set('0/1', submission.update);
    federation.say(collecting(2));
    expect(activity(world)).toBe('submitting');
    world.settle();
    expect([...federation.accepted.keys()]).toEqual(['0/1', '0/2']);
    expect(plansOf(world, 'train')).toEqual([plan(1), plan(2)]);
  });

  it('declines the round that is open when its training fails, and nothing when none is', () => {
    const federation = training();
    federation.say(collecting(2));
    federation.world.fail(
      'final',
      federation.world.waiting.find(({ name }) => name === 'train'),
    );
    expect(asked(federation.world, 'decline')).toMatchObject([{ plan: plan(2) }]);
    const other = training();
    other.say(phase('anchoring', 0));
    other.world.fail(
      'final',
      other.world.waiting.find(({ name }) => name === 'train'),
    );
    expect(asked(other.world, 'decline')).toEqual([]);
    expect(activity(other.world)).toBe('idle');
    other.say(collecting(2));
    expect(activity(other.world)).toBe('recalling');
  });

  it('declines what waits when it is told to stop, and is gone', () => {
    const federation = training();
    const { world } = federation;
    federation.say(phase('anchoring', 0));
    finish(world, 'train');
    world.give({ name: 'drainRequested' });
    expect(world.state).toMatchObject({ at: 'stopped', outcome: { kind: 'aborted' } });
    expect(asked(world, 'decline')).toEqual([]);
  });
});

type Happening =
  | { readonly kind: 'connected' | 'disconnected' | 'crashed' | 'next' | 'pause' | 'again' }
  | { readonly kind: 'succeeded' | 'refused' | 'lost'; readonly which: number };

const HAPPENING: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('connected' as const, 'next' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('disconnected' as const, 'crashed' as const, 'pause' as const, 'again' as const),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'succeeded' as const,
        'succeeded' as const,
        'succeeded' as const,
        'refused' as const,
        'lost' as const,
      ),
      which: fc.nat(2),
    }),
  },
);

describe('a client of a buffered job, whatever happens', () => {
  it('never sends two updates for one attempt, none too old, nor one training twice to rounds that took it; and answers', () => {
    fc.assert(
      fc.property(
        fc.array(HAPPENING, { minLength: 10, maxLength: 150, size: 'max' }),
        fc.nat(2),
        (happenings, maxStaleness) => {
          const federation = new Federation(maxStaleness);
          const { world } = federation;
          let [round, attempt] = [1, 0];
          federation.job = collecting(round);
          world.give({ name: 'connected' });
          for (const each of happenings) {
            const effect = 'which' in each ? world.waiting[each.which] : undefined;
            if (each.kind === 'crashed') world.crash();
            else if (each.kind === 'next') federation.say(collecting(++round, attempt));
            else if (each.kind === 'again') federation.say(collecting(round, ++attempt));
            else if (each.kind === 'pause') federation.say({ ...phase('aggregating', round - 1) });
            else if (each.kind === 'connected' || each.kind === 'disconnected') world.give({ name: each.kind });
            else if (effect && each.kind === 'succeeded') world.succeed(effect);
            else if (effect) {
              const severity = effect.name === 'openSession' || each.kind === 'lost' ? 'lost' : 'refused';
              world.fail(severity, effect);
            }
          }
          for (const roots of world.sent.values()) expect(roots.size).toBe(1);
          for (const encoded of asked(world, 'encode')) {
            if (encoded.name !== 'encode') continue;
            const age = encoded.plan.round - encoded.learnt.plan.round;
            expect(age).toBeGreaterThanOrEqual(0);
            expect(age).toBeLessThanOrEqual(maxStaleness);
          }
          // Whatever went before, it answers a round that stays open.
          federation.job = collecting(++round, attempt);
          world.give({ name: 'connected' });
          world.settle();
          federation.say(collecting(++round, attempt));
          world.settle();
          expect(federation.accepted.has(`${attempt}/${round}`)).toBe(true);
          // The low three digits of a root stand for the training.
          const trainings = [...federation.accepted.values()].map(({ statement }) => statement.updateRoot.slice(-3));
          expect(new Set(trainings).size).toBe(trainings.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});
