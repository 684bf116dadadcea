import type { RecordSource } from './record-source.ts';

/** Which records are for what. */
export interface RecordSplit {
  /** Records to train on, in order. */
  readonly training: Uint32Array;
  /** Records to evaluate on, in order. */
  readonly heldOut: Uint32Array;
  /** Records whose input occurred before. */
  readonly duplicates: number;
}

/**
 * Splits records by the hash of their input: held out are those whose hashes are smallest. So the split needs no seed, is
 * the same in whatever order the records stand, and puts all copies of one input on one side: nothing that is held out was
 * trained on. Where the data itself says what is held out, that is followed.
 *
 * @param source - labels, keys and, if the data says so, where the held-out part begins
 * @param wanted - the share that is held out, and the most records
 */
export function splitRecords(
  { keys, heldOutFrom }: Pick<RecordSource, 'keys' | 'heldOutFrom'>,
  { share, most }: { readonly share: number; readonly most: number },
): RecordSplit {
  const sorted = keys.slice().sort();
  let duplicates = 0;
  for (let at = 1; at < sorted.length; at++) if (sorted[at] === sorted[at - 1]) duplicates++;
  const isHeldOut = heldOutFrom === undefined ? belowThreshold(keys, sorted, share, most) : stated(heldOutFrom, most);
  const records = Uint32Array.from(keys.keys());
  // Beyond the most that are wanted, what the data itself holds out is not trained on either.
  return {
    training: records.filter((record) => (heldOutFrom === undefined ? !isHeldOut(record) : record < heldOutFrom)),
    heldOut: records.filter(isHeldOut),
    duplicates,
  };
}

function belowThreshold(keys: Float64Array, sorted: Float64Array, share: number, most: number) {
  const wanted = Math.min(most, Math.ceil(share * keys.length));
  const threshold = sorted[wanted - 1] ?? -1;
  return (record: number): boolean => (keys[record] as number) <= threshold;
}

function stated(heldOutFrom: number, most: number) {
  return (record: number): boolean => record >= heldOutFrom && record < heldOutFrom + most;
}
