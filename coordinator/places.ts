import { FedanchorError } from '../shared/errors.ts';
import { decidePlace, type Place, type PlaceEvent, VACANT } from './presence.ts';

/** Thrown to a connection whose participant is there already, over another connection that is alive. */
export class PresenceError extends FedanchorError<'session/already-connected'> {}

/** What the register of places needs of the transport; connections are named by their ids. */
export interface PlacesOptions {
  /** Asks a connection for a sign of life; resolves within a few seconds and never rejects. */
  readonly isAlive: (connection: string) => Promise<boolean>;
  /** Ends a connection. */
  readonly disconnect: (connection: string) => void;
}

/** Who holds which participant's place. */
export interface Places {
  /**
   * Claims a place for a connection that has proven the participant's key; resolves when it holds it.
   *
   * @param place - the participant in its job, such as job and address joined by a slash
   * @param connection - who claims it
   * @throws PresenceError `session/already-connected` if another connection holds it and answers a ping
   */
  claim(place: string, connection: string): Promise<void>;
  /** Gives up every place of a connection that has ended. */
  release(connection: string): void;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Creates an empty register: a thin shell around {@link decidePlace}. */
export function createPlaces({ isAlive, disconnect }: PlacesOptions): Places {
  const places = new Map<string, Place>();
  const mine = new Map<string, Set<string>>();
  const waiting = new Map<string, Waiting[]>();

  const settle = (name: string, connection: string, how: (one: Waiting) => void): void => {
    const key = `${name} ${connection}`;
    const those = waiting.get(key) ?? [];
    waiting.delete(key);
    for (const one of those) how(one);
  };

  const take = (name: string, event: PlaceEvent): void => {
    const { place, actions } = decidePlace(places.get(name) ?? VACANT, event);
    if (place.at === 'vacant') places.delete(name);
    else places.set(name, place);
    for (const action of actions) {
      const { connection } = action;
      switch (action.name) {
        case 'admit':
          settle(name, connection, ({ resolve }) => resolve());
          break;
        case 'refuse':
          settle(name, connection, ({ reject }) => reject(alreadyConnected()));
          break;
        case 'ping':
          void isAlive(connection).then((alive) => take(name, { name: 'pinged', connection, isAlive: alive }));
          break;
        case 'disconnect':
          disconnect(connection);
          break;
      }
    }
  };

  return {
    claim: (name, connection) =>
      new Promise((resolve, reject) => {
        const key = `${name} ${connection}`;
        waiting.set(key, [...(waiting.get(key) ?? []), { resolve, reject }]);
        mine.set(connection, (mine.get(connection) ?? new Set()).add(name));
        take(name, { name: 'claimed', connection });
      }),
    release: (connection) => {
      const names = mine.get(connection) ?? [];
      mine.delete(connection);
      for (const name of names) {
        take(name, { name: 'closed', connection });
        settle(name, connection, ({ reject }) => reject(alreadyConnected()));
      }
    },
  };
}

function alreadyConnected(): PresenceError {
  return new PresenceError(
    'session/already-connected',
    'this participant takes part already, over another connection that is alive: stop the other process, or give this one a key of its own',
  );
}
