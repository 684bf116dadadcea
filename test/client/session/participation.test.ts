import { describe, expect, it } from 'vitest';
import { checkDraw } from '../../../client/session/check-terms.ts';
import type { Hex } from '../../../shared/bytes.ts';
import type { JobStateMessage } from '../../../shared/protocol/messages.ts';
import { jobTerms } from '../../../shared/round/job-terms.ts';
import { seedChain } from '../../../shared/round/plan.ts';
import { isAsked, type SampleDraw, sampleTicket } from '../../../shared/round/sampling.ts';
import { exampleManifest, exampleManifestJson } from '../../shared/round/example-manifest.ts';
import { collecting, createWorld, ME, phase, plan, type World } from './world.ts';

const SEED: Hex = `0x${'5e'.repeat(32)}`;

/** A draw that asks this client in a round, or just does not. */
function drawFor(round: number, isMine: boolean, attempt = 0): SampleDraw {
  const mine = BigInt(sampleTicket(SEED, plan(round, attempt), ME));
  const cut: Hex = `0x${(isMine ? mine : mine - 1n).toString(16).padStart(64, '0')}`;
  return { seedIndex: round - 1, seed: SEED, cut };
}

function drawn(round: number, isMine: boolean, attempt = 0): JobStateMessage {
  return { ...collecting(round, attempt), draw: drawFor(round, isMine, attempt) };
}

function joined(first: JobStateMessage): { world: World; say(job: JobStateMessage): void } {
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

function until(world: World, name: string): void {
  for (let steps = 0; world.waiting[0]?.name !== name; steps++) {
    if (steps > 20) throw new Error(`${name} is not asked for: ${JSON.stringify(world.state)}`);
    world.succeed();
  }
}

const names = (world: World) => world.asked.map(({ name }) => name);
const count = (world: World, name: string) => names(world).filter((one) => one === name).length;

describe('a client that is not asked', () => {
  it('waits: it fetches, trains and sends nothing, however often it hears of the round', () => {
    const { world, say } = joined(drawn(1, false));
    for (let times = 0; times < 3; times++) say(drawn(1, false));
    world.settle();
    expect(names(world)).toEqual(['openSession', 'checkDraw']);
    expect(world.state).toMatchObject({ at: 'live', activity: { at: 'idle' } });
  });

  it('takes part in the next round it is asked in, and evaluates the final model with the others', () => {
    const { world, say } = joined(drawn(1, false));
    say(phase('aggregating', 0));
    say(drawn(2, true));
    world.settle();
    expect([...world.sent.keys()]).toEqual(['0/2']);
    say(drawn(3, false));
    world.settle();
    expect(world.state).toMatchObject({ activity: { at: 'idle' } });
    say(phase('closed', 3));
    world.settle();
    expect(world.state).toMatchObject({ at: 'stopped', outcome: { kind: 'closed', rounds: 3 } });
  });

  it('may be asked in another attempt at the same round, and the other way round', () => {
    const { world, say } = joined(drawn(1, false));
    say(drawn(1, true, 1));
    world.settle();
    expect([...world.sent.keys()]).toEqual(['1/1']);
    const other = joined(drawn(1, true));
    until(other.world, 'train');
    other.say(drawn(1, false, 1));
    other.world.settle();
    expect([...other.world.sent.keys()]).toEqual([]);
    expect(other.world.state).toMatchObject({ activity: { at: 'idle' } });
  });

  it('still sees through what it signed for the round before', () => {
    const { world, say } = joined(drawn(1, true));
    until(world, 'submit');
    say(drawn(2, false));
    expect(world.waiting.map(({ name }) => name)).toContain('submit');
    world.settle();
    expect(world.state).toMatchObject({ activity: { at: 'idle' } });
    // Also over a connection that is lost meanwhile.
    const lost = joined(drawn(1, true));
    until(lost.world, 'offer');
    lost.say(drawn(2, false));
    lost.world.give({ name: 'disconnected' });
    lost.world.give({ name: 'connected' });
    lost.world.settle();
    expect(count(lost.world, 'submit')).toBe(1);
    expect(lost.world.state).toMatchObject({ activity: { at: 'idle' } });
  });

  it('asked or not, it has each draw checked once', () => {
    const { world, say } = joined(drawn(1, true));
    world.settle();
    for (let times = 0; times < 3; times++) say(drawn(2, false));
    world.settle();
    expect(count(world, 'checkDraw')).toBe(2);
  });

  it('answers although a draw is not what it should be: that is for people to judge', () => {
    const { world } = joined(drawn(1, true));
    const check = world.waiting.find(({ name }) => name === 'checkDraw');
    world.fail('final', check);
    world.settle();
    expect([...world.sent.keys()]).toEqual(['0/1']);
  });
});

describe('a client whose round is over before it is done', () => {
  it.each(['recall', 'fetchModel', 'evaluate', 'train', 'encode', 'sign'])(
    'says that it is there, so that the next round waits for it: during %s',
    (during) => {
      const { world, say } = joined(collecting(1));
      until(world, during);
      say(phase('aggregating', 0));
      expect(count(world, 'rejoin')).toBe(1);
      say(phase('anchoring', 0));
      expect(count(world, 'rejoin')).toBe(1);
    },
  );

  it('says so too when it hears of the next round first', () => {
    const { world, say } = joined(collecting(1));
    until(world, 'train');
    say(collecting(2));
    expect(count(world, 'rejoin')).toBe(1);
  });

  it('has no need to when it has answered, or has an answer on its way', () => {
    for (const during of ['offer', 'submit']) {
      const { world, say } = joined(collecting(1));
      until(world, during);
      say(phase('aggregating', 0));
      world.settle();
      say(phase('anchoring', 0));
      expect(count(world, 'rejoin')).toBe(0);
    }
  });

  it('goes on although nobody hears it', () => {
    const { world, say } = joined(collecting(1));
    until(world, 'train');
    say(phase('aggregating', 0));
    world.fail(
      'lost',
      world.waiting.find(({ name }) => name === 'rejoin'),
    );
    say(collecting(2));
    world.settle();
    expect([...world.sent.keys()]).toEqual(['0/2']);
  });
});

describe('a client that returns', () => {
  it('in the next round or a later one answers the round that is open, and none that is over', () => {
    const { world, say } = joined(collecting(1));
    until(world, 'train');
    world.give({ name: 'disconnected' });
    // What it trained for is over by the time it is back.
    say(collecting(5));
    world.give({ name: 'connected' });
    world.settle();
    expect([...world.sent.keys()]).toEqual(['0/5']);
    expect(world.state).toMatchObject({ settled: { round: 5, attempt: 0 } });
  });

  it('with a signed update of a round that is over leaves it for the round that is open', () => {
    const { world, say } = joined(collecting(1));
    until(world, 'offer');
    world.give({ name: 'disconnected' });
    say(collecting(3));
    world.give({ name: 'connected' });
    world.settle();
    expect(world.state).toMatchObject({ settled: { round: 3, attempt: 0 } });
  });

  it('clock skew: how much time the coordinator says is left changes nothing in what it does', () => {
    const asked = [Number.MAX_SAFE_INTEGER, 0, -5, 0.5].map((remainingMs) => {
      const { world } = joined({ ...collecting(1), remainingMs });
      world.settle();
      return names(world);
    });
    for (const one of asked) expect(one).toEqual(asked[0]);
  });
});

describe('checkDraw', () => {
  const chain = seedChain(new Uint8Array(32).fill(7), 8);
  const participation = exampleManifestJson()['participation'] as object;
  const sampled = { participation: { ...participation, sample: { size: 3, extra: 1 } } };
  const terms = jobTerms(exampleManifest({ replace: sampled, seedCommitment: chain[0] as Hex }));
  const draw = (seedIndex: number, seed = chain[seedIndex] as Hex): SampleDraw => ({ seedIndex, seed, cut: null });
  const mismatch = expect.objectContaining({ code: 'session/draw-mismatch' }) as Error;

  it('takes the commitment in round 1, and then a seed that was revealed by the round before', () => {
    checkDraw(terms, plan(1, 0), draw(0));
    checkDraw(terms, plan(1, 2), draw(0));
    checkDraw(terms, plan(3, 0), draw(2));
    // Two attempts failed before round 3 opened, in round 1, 2 or 3.
    for (const seedIndex of [2, 3, 4]) checkDraw(terms, plan(3, 2), draw(seedIndex));
  });

  it('refuses seeds that are not of the chain, not yet revealed, or older than they can be', () => {
    expect(() => checkDraw(terms, plan(2), draw(1, SEED))).toThrow(mismatch);
    expect(() => checkDraw(terms, plan(2), draw(1, chain[2]))).toThrow(mismatch);
    expect(() => checkDraw(terms, plan(1, 1), draw(1))).toThrow(mismatch);
    expect(() => checkDraw(terms, plan(3, 0), draw(1))).toThrow(mismatch);
    expect(() => checkDraw(terms, plan(3, 0), draw(3))).toThrow(mismatch);
  });

  it('refuses a draw in a job that has none', () => {
    const plain = jobTerms(exampleManifest({ seedCommitment: chain[0] as Hex }));
    expect(() => checkDraw(plain, plan(1), draw(0))).toThrow(mismatch);
  });

  it('is of a draw that the client itself can work out', () => {
    expect(isAsked(drawFor(4, true), plan(4), ME)).toBe(true);
    expect(isAsked(drawFor(4, false), plan(4), ME)).toBe(false);
  });
});
