import { AGGREGATE_FRACTION_BITS, MAX_UPDATE } from '../../../shared/fixed-point/constants.ts';
import { roundDiv } from '../../../shared/fixed-point/round-div.ts';
import { createRng, type Rng } from '../../../shared/rng.ts';
import type { RealRound } from './real-rounds.ts';

/** Someone who wants to be paid. */
export interface Claimant {
  /** What it sends, in a few words. */
  readonly name: string;
  /** Whether it is, or builds on, the first honest client's update of the same round. */
  readonly copiesFirst: boolean;
  /** Its update in a round that is not the first. */
  send(round: RealRound): Int16Array;
}

/** Kinds of free-rider, then clients that only look like one. */
export const CLAIMANTS: readonly Claimant[] = [
  { name: 'nothing: a zero update', copiesFirst: false, send: ({ layout }) => new Int16Array(layout.dimension) },
  { name: 'noise as long as an update', copiesFirst: false, send: (round) => noiseOf(round, 1) },
  { name: "last round's aggregate", copiesFirst: false, send: staleAggregate },
  { name: "another's update of last round", copiesFirst: false, send: staleUpdate },
  { name: "another's update, to the bit", copiesFirst: true, send: ({ honest }) => firstOf(honest).slice() },
  { name: 'the same, moved by a unit', copiesFirst: true, send: (round) => moved(firstOf(round.honest), round) },
  { name: 'the same at twice its length', copiesFirst: true, send: ({ honest }) => scaled(firstOf(honest), 2) },
  {
    name: 'the same with noise of a tenth',
    copiesFirst: true,
    send: (round) => sum(firstOf(round.honest), noiseOf(round, 0.1)),
  },
  { name: 'honest training, doubled', copiesFirst: false, send: ({ doubled }) => doubled },
  { name: 'honest, same data as another', copiesFirst: false, send: ({ sameData }) => sameData },
  { name: 'honest, same training, rounded anew', copiesFirst: true, send: ({ sameTraining }) => sameTraining },
];

const firstOf = (rows: readonly Int16Array[]): Int16Array => rows[0] as Int16Array;

const clamp = (value: number): number => Math.max(-MAX_UPDATE, Math.min(MAX_UPDATE, value));

const scaled = (row: Int16Array, factor: number): Int16Array => row.map((value) => clamp(factor * value));

const sum = (one: Int16Array, other: Int16Array): Int16Array =>
  one.map((value, at) => clamp(value + (other[at] as number)));

/** Uniform noise, as long as so many times the first honest update, in coordinates that are in use. */
function noiseOf(round: RealRound, factor: number): Int16Array {
  const rng = createRng(round.round, `noise/${factor}`);
  const { layout, honest } = round;
  const squared = firstOf(honest).reduce((total, value) => total + value * value, 0);
  const amplitude = Math.round(factor * Math.sqrt((3 * squared) / layout.parameters));
  return inUse(round, () => clamp(rng.below(2 * amplitude + 1) - amplitude));
}

function moved(row: Int16Array, round: RealRound): Int16Array {
  const rng: Rng = createRng(round.round, 'moved');
  return sum(
    row,
    inUse(round, () => rng.below(3) - 1),
  );
}

function inUse({ layout }: RealRound, draw: () => number): Int16Array {
  const row = new Int16Array(layout.dimension);
  for (const { offset, size } of layout.slots) {
    for (let at = offset; at < offset + size; at++) row[at] = draw();
  }
  return row;
}

/** What was learnt in the round before, in the units of this one. */
function staleAggregate({ before, updateBits, layout }: RealRound): Int16Array {
  if (before === null) return new Int16Array(layout.dimension);
  const finer = before.updateBits + AGGREGATE_FRACTION_BITS - updateBits;
  return Int16Array.from(before.aggregate, (value) => clamp(inUnits(value, finer)));
}

function staleUpdate({ before, updateBits, layout }: RealRound): Int16Array {
  if (before === null) return new Int16Array(layout.dimension);
  return firstOf(before.honest).map((value) => clamp(inUnits(value, before.updateBits - updateBits)));
}

const inUnits = (value: number, finer: number): number =>
  finer >= 0 ? roundDiv(value, 2 ** finer) : value * 2 ** -finer;
