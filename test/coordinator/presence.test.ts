import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPlaces } from '../../coordinator/places.ts';
import { decidePlace, type Place, type PlaceAction, type PlaceEvent, VACANT } from '../../coordinator/presence.ts';

const claimed = (connection: string): PlaceEvent => ({ name: 'claimed', connection });
const closed = (connection: string): PlaceEvent => ({ name: 'closed', connection });
const pinged = (connection: string, isAlive: boolean): PlaceEvent => ({ name: 'pinged', connection, isAlive });

function run(...events: readonly PlaceEvent[]): { place: Place; actions: PlaceAction[] } {
  const actions: PlaceAction[] = [];
  const place = events.reduce<Place>((before, event) => {
    const move = decidePlace(before, event);
    actions.push(...move.actions);
    return move.place;
  }, VACANT);
  return { place, actions };
}

describe('a place', () => {
  it('is given to the first who claims it, as often as it does', () => {
    expect(run(claimed('a'), claimed('a'))).toEqual({
      place: { at: 'held', holder: 'a' },
      actions: [
        { name: 'admit', connection: 'a' },
        { name: 'admit', connection: 'a' },
      ],
    });
  });

  it('is refused to a second process with the same key, once the first has answered a ping', () => {
    expect(run(claimed('a'), claimed('b')).actions.slice(1)).toEqual([{ name: 'ping', connection: 'a' }]);
    expect(run(claimed('a'), claimed('b'), pinged('a', true))).toMatchObject({
      place: { at: 'held', holder: 'a' },
      actions: [{}, {}, { name: 'refuse', connection: 'b' }],
    });
  });

  it('goes to one that comes from another address once its half-open connection fails a ping', () => {
    expect(run(claimed('a'), claimed('b'), pinged('a', false))).toMatchObject({
      place: { at: 'held', holder: 'b' },
      actions: [{}, {}, { name: 'disconnect', connection: 'a' }, { name: 'admit', connection: 'b' }],
    });
  });

  it('goes to the challenger at once when the holder goes', () => {
    expect(run(claimed('a'), claimed('b'), closed('a'), pinged('a', false))).toMatchObject({
      place: { at: 'held', holder: 'b' },
      actions: [{}, {}, { name: 'admit', connection: 'b' }],
    });
  });

  it('stays with the holder when the challenger goes, whatever the ping brings', () => {
    for (const isAlive of [true, false]) {
      const { place, actions } = run(claimed('a'), claimed('b'), closed('b'), pinged('a', isAlive));
      expect(place).toEqual({ at: 'held', holder: 'a' });
      expect(actions).toHaveLength(2);
    }
  });

  it('is vacant when its holder has gone', () => {
    expect(run(claimed('a'), closed('a')).place).toEqual(VACANT);
  });

  it('is held by one at most, and every claim gets one answer, whatever happens', () => {
    const connection = fc.constantFrom('a', 'b', 'c', 'd');
    const event: fc.Arbitrary<PlaceEvent> = fc.oneof(
      { weight: 3, arbitrary: connection.map(claimed) },
      { weight: 2, arbitrary: fc.tuple(connection, fc.boolean()).map(([one, isAlive]) => pinged(one, isAlive)) },
      { weight: 1, arbitrary: connection.map(closed) },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let place = VACANT;
        const admitted = new Set<string>();
        const asking = new Set<string>();
        const take = (one: PlaceEvent): void => {
          if (one.name === 'claimed') asking.add(one.connection);
          if (one.name === 'closed') {
            admitted.delete(one.connection);
            asking.delete(one.connection);
          }
          const move = decidePlace(place, one);
          place = move.place;
          for (const { name, connection: who } of move.actions) {
            if (name === 'admit' || name === 'refuse') expect(asking.delete(who)).toBe(true);
            if (name === 'admit') admitted.add(who);
            if (name === 'disconnect') admitted.delete(who);
          }
          expect([...admitted]).toEqual(place.at === 'vacant' ? [] : [place.holder]);
          // Whoever still waits is the challenger.
          expect([...asking]).toEqual(place.at === 'contested' ? [place.challenger] : []);
        };
        for (const one of events) take(one);
        if (place.at === 'contested') take(pinged(place.holder, false));
        expect(asking.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the register of places', () => {
  const alreadyConnected = expect.objectContaining({ code: 'session/already-connected' }) as Error;

  function open(alive: ReadonlySet<string>) {
    const disconnected: string[] = [];
    const places = createPlaces({
      isAlive: async (connection) => alive.has(connection),
      disconnect: (connection) => {
        disconnected.push(connection);
        places.release(connection);
      },
    });
    return { places, disconnected };
  }

  it('two processes with one key: the second is refused with the reason', async () => {
    const { places, disconnected } = open(new Set(['first']));
    await places.claim('job/0xaa', 'first');
    await expect(places.claim('job/0xaa', 'second')).rejects.toThrow(alreadyConnected);
    await expect(places.claim('job/0xaa', 'second')).rejects.toThrow(/stop the other process/);
    expect(disconnected).toEqual([]);
    await places.claim('job/0xaa', 'first');
  });

  it('a client that moved to another address takes over from its half-open connection', async () => {
    const { places, disconnected } = open(new Set(['new']));
    await places.claim('job/0xaa', 'old');
    await places.claim('job/0xaa', 'new');
    expect(disconnected).toEqual(['old']);
    await expect(places.claim('job/0xaa', 'third')).rejects.toThrow(alreadyConnected);
  });

  it('keeps participants and jobs apart, and places free when their connections end', async () => {
    const { places } = open(new Set(['a', 'b']));
    await Promise.all(['job/0xaa', 'job/0xbb', 'other/0xaa'].map((place) => places.claim(place, 'a')));
    await places.claim('other/0xbb', 'b');
    places.release('a');
    await Promise.all(['job/0xaa', 'job/0xbb', 'other/0xaa'].map((place) => places.claim(place, 'b')));
  });

  it('answers a claim whose own connection ends while it waits', async () => {
    let answer: (alive: boolean) => void = () => {};
    const places = createPlaces({
      isAlive: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
      disconnect: () => {},
    });
    await places.claim('job/0xaa', 'a');
    const waiting = places.claim('job/0xaa', 'b');
    places.release('b');
    await expect(waiting).rejects.toThrow(alreadyConnected);
    answer(false);
    await places.claim('job/0xaa', 'a');
  });
});
