import type { Saturated } from '../fixed-point/model.ts';
import type { Rng } from '../rng.ts';

/**
 * A format that updates travel in. `restrict` makes an update one that it can carry, and changes none that it can carry
 * already; for those, `decodePart(encodePart(part), part.length)` is the part, and no other bytes decode to it.
 */
export interface WireFormat {
  /**
   * The update that is sent in place of another one: a new vector, of which coordinates beyond what the format carries
   * were cut and counted.
   *
   * @param vector - whole blocks of 64 coordinates, each at most 8191 in magnitude
   * @param rng - decides roundings, so that they are unbiased; seeded by the client
   */
  restrict(vector: Int16Array, rng: Rng): Saturated<Int16Array>;
  /**
   * The bytes of one part on the way.
   *
   * @param part - at most 524,288 coordinates, whole blocks, as `restrict` leaves them
   * @throws WireError `wire/not-representable`
   */
  encodePart(part: Int16Array): Uint8Array;
  /**
   * Reads what arrived as one part. It takes no more memory than the part itself, whatever arrived.
   *
   * @param coded - as it arrived
   * @param coordinates - how many the part has
   * @throws WireError `wire/malformed`
   */
  decodePart(coded: Uint8Array, coordinates: number): Int16Array;
}
