import { VALUE } from './layer.ts';
import type { Room } from './room.ts';

/** Places that are lent for one call: vectors that lie elsewhere are copied there and back. */
export interface LentPlaces {
  /** Where a vector that is read lies; each is copied once. */
  in(vector: Float32Array): number;
  /** Where a vector that is written lies. */
  out(vector: Float32Array): number;
  /** Copies back what was written. */
  settle(): void;
}

/** Where models and gradients lie. */
export interface VectorPlaces {
  /** A vector that needs no copy. */
  create(): Float32Array;
  /** Lends places, which are free again with the next call. */
  lend(): LentPlaces;
}

/** Creates places for vectors of so many values. */
export function createVectorPlaces(room: Room, length: number): VectorPlaces {
  const known = new WeakMap<Float32Array, number>();
  const spare: number[] = [];
  const view = (at: number): Float32Array => new Float32Array(room.memory.buffer, at, length);
  return {
    create: () => {
      const at = room.take(length * VALUE);
      const vector = view(at);
      known.set(vector, at);
      return vector;
    },
    lend: () => {
      let used = 0;
      const read = new Map<Float32Array, number>();
      const written: { readonly vector: Float32Array; readonly at: number }[] = [];
      const next = (): number => {
        const at = spare[used] ?? room.take(length * VALUE);
        spare[used++] = at;
        return at;
      };
      return {
        in: (vector) => {
          const place = known.get(vector) ?? read.get(vector);
          if (place !== undefined) return place;
          const at = next();
          view(at).set(vector);
          read.set(vector, at);
          return at;
        },
        out: (vector) => {
          const place = known.get(vector);
          if (place !== undefined) return place;
          const at = next();
          written.push({ vector, at });
          return at;
        },
        settle: () => {
          for (const { vector, at } of written) vector.set(view(at));
        },
      };
    },
  };
}
