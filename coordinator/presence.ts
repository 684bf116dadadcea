/**
 * Who holds a participant's place in a job: at most one connection at a time.
 *
 * vacant -> held by the first claim; held -> contested by a claim of another connection, the holder being pinged;
 * contested -> held by the holder if it answers, by the challenger if it does not or has gone; held -> vacant when the
 * holder has gone. Connections are named by their ids.
 */
export type Place =
  | { readonly at: 'vacant' }
  | { readonly at: 'held'; readonly holder: string }
  | { readonly at: 'contested'; readonly holder: string; readonly challenger: string };

/** What happens to a place. */
export type PlaceEvent =
  /** A connection has proven the participant's key. */
  | { readonly name: 'claimed'; readonly connection: string }
  /** The holder has answered a ping, or has not in time. */
  | { readonly name: 'pinged'; readonly connection: string; readonly isAlive: boolean }
  /** A connection has ended. */
  | { readonly name: 'closed'; readonly connection: string };

/** What is to be done. Each claim is answered by one `admit` or `refuse`, unless its connection closes first. */
export type PlaceAction =
  | { readonly name: 'admit'; readonly connection: string }
  | { readonly name: 'refuse'; readonly connection: string }
  /** Ask a connection for a sign of life; answered by `pinged`. */
  | { readonly name: 'ping'; readonly connection: string }
  /** End a connection that gave none. */
  | { readonly name: 'disconnect'; readonly connection: string };

/** What an event comes to. */
export interface PlaceMove {
  /** The place after it. */
  readonly place: Place;
  /** What is to be done, in order. */
  readonly actions: readonly PlaceAction[];
}

/** A place that nobody holds. */
export const VACANT: Place = { at: 'vacant' };

/**
 * Decides who holds a place. A second process with the same key is refused while the first one answers; a participant
 * that comes from another address takes over as soon as its old connection fails a ping. Pure.
 */
export function decidePlace(place: Place, event: PlaceEvent): PlaceMove {
  switch (event.name) {
    case 'claimed':
      return claimed(place, event.connection);
    case 'pinged':
      if (place.at !== 'contested' || place.holder !== event.connection) return stay(place);
      return event.isAlive ? defended(place) : takenOver(place, [{ name: 'disconnect', connection: place.holder }]);
    case 'closed':
      return closed(place, event.connection);
  }
}

function claimed(place: Place, connection: string): PlaceMove {
  switch (place.at) {
    case 'vacant':
      return { place: { at: 'held', holder: connection }, actions: [{ name: 'admit', connection }] };
    case 'held':
      if (place.holder === connection) return stay(place, { name: 'admit', connection });
      return {
        place: { at: 'contested', holder: place.holder, challenger: connection },
        actions: [{ name: 'ping', connection: place.holder }],
      };
    case 'contested':
      // A holder that claims again is alive. A challenger that repeats itself is answered once, when the ping is. A third
      // is told to ask again: by then it is clear who holds the place.
      if (place.holder === connection) {
        const { actions, ...rest } = defended(place);
        return { ...rest, actions: [{ name: 'admit', connection }, ...actions] };
      }
      return place.challenger === connection ? stay(place) : stay(place, { name: 'refuse', connection });
  }
}

function closed(place: Place, connection: string): PlaceMove {
  switch (place.at) {
    case 'vacant':
      return stay(place);
    case 'held':
      return stay(place.holder === connection ? VACANT : place);
    case 'contested':
      if (place.holder === connection) return takenOver(place, []);
      return stay(place.challenger === connection ? { at: 'held', holder: place.holder } : place);
  }
}

type Contested = Extract<Place, { readonly at: 'contested' }>;

/** contested -> held by the holder. */
function defended({ holder, challenger }: Contested): PlaceMove {
  return { place: { at: 'held', holder }, actions: [{ name: 'refuse', connection: challenger }] };
}

/** contested -> held by the challenger. */
function takenOver({ challenger }: Contested, before: readonly PlaceAction[]): PlaceMove {
  return {
    place: { at: 'held', holder: challenger },
    actions: [...before, { name: 'admit', connection: challenger }],
  };
}

function stay(place: Place, ...actions: readonly PlaceAction[]): PlaceMove {
  return { place, actions };
}
