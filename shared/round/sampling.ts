import { concatBytes, fromHex, type Hex, toHex, utf8, word } from '../bytes.ts';
import { sha256Digest } from '../commitments/hashing.ts';
import type { RoundPlan } from './plan.ts';

const ADDRESS_BYTES = 20;

/** A round and attempt: what a draw is for. */
type Opening = Pick<RoundPlan, 'round' | 'attempt'>;

/** Who is asked in a round, in two numbers: everyone can tell whether a participant is, and how that came about. */
export interface SampleDraw {
  /** Where in the chain of seeds the seed stands: the last one revealed, 0 being the commitment in the manifest. */
  readonly seedIndex: number;
  /** The seed. */
  readonly seed: Hex;
  /** The highest ticket that is asked; null if all are. */
  readonly cut: Hex | null;
}

/**
 * A participant's lot in a draw: SHA-256 of `fedanchor/sample`, the seed, round and attempt as words, and the address.
 * It depends on nobody else, so who comes and goes cannot change the order of the others.
 *
 * @returns 32 bytes; as lower-case hexadecimal, tickets compare as numbers do
 */
export function sampleTicket(seed: Hex, opening: Opening, participant: Hex): Hex {
  return tickets(seed, opening)(participant);
}

/** The tickets of one draw: what they have in common is laid out once. */
function tickets(seed: Hex, { round, attempt }: Opening): (participant: Hex) => Hex {
  const common = [utf8('fedanchor/sample'), fromHex(seed, 32), word(round), word(attempt)];
  const bytes = concatBytes(...common, new Uint8Array(ADDRESS_BYTES));
  const address = bytes.subarray(bytes.length - ADDRESS_BYTES);
  return (participant) => {
    address.set(fromHex(participant.toLowerCase(), ADDRESS_BYTES));
    return toHex(sha256Digest(bytes));
  };
}

/**
 * The ticket up to which participants are asked, so that the given number of them are.
 *
 * @param participants - those who can be asked, in any order
 * @param count - how many to ask, at least 1
 * @returns null when there are no more of them than are to be asked
 */
export function sampleCut(seed: Hex, opening: Opening, participants: readonly Hex[], count: number): Hex | null {
  return drawSample(seed, opening, participants, count).cut;
}

/**
 * Draws participants: {@link sampleCut}, and those whom {@link isAsked} finds asked by it, in the order they came in.
 *
 * @param participants - those who can be asked, in any order
 * @param count - how many to ask, at least 1
 */
export function drawSample(
  seed: Hex,
  opening: Opening,
  participants: readonly Hex[],
  count: number,
): { readonly cut: Hex | null; readonly asked: readonly Hex[] } {
  if (participants.length <= count) return { cut: null, asked: participants };
  const drawn = participants.map(tickets(seed, opening));
  const cut = [...drawn].sort()[count - 1] as Hex;
  return { cut, asked: participants.filter((_, at) => (drawn[at] as Hex) <= cut) };
}

/** Whether a participant is asked in a round; without a draw everyone is. */
export function isAsked(draw: SampleDraw | undefined, opening: Opening, participant: Hex): boolean {
  if (draw === undefined || draw.cut === null) return true;
  return sampleTicket(draw.seed, opening, participant) <= draw.cut;
}
