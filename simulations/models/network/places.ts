import type { ModelPlan } from '../model-plan.ts';
import { convolutionSizes } from './convolution.ts';
import { leftBytes, rightBytes, VALUE } from './layer.ts';
import type { Room } from './room.ts';

/** Where one thread keeps what stands between layers: plain data. */
export interface Places {
  /** Rows that fit. */
  readonly capacity: number;
  /** Address of each buffer's values. */
  readonly values: readonly number[];
  /** Address of each buffer's slopes; 0 for the inputs. */
  readonly slopes: readonly number[];
  /** For each layer what it keeps from the way there to the way back; 0 where it keeps nothing. */
  readonly kept: readonly number[];
  /** Space for a packed left factor. */
  readonly left: number;
  /** Space for packed right factors. */
  readonly right: number;
  /** Space for another one. */
  readonly otherRight: number;
  /** Space for windows. */
  readonly windows: number;
}

/** Bytes between layers that a thread should need at most, as far as {@link LEAST_ROWS} allow. */
const WANTED_BYTES = 2 ** 24;
/** Fewer rows at a time would pack the weights too often. */
const LEAST_ROWS = 32;
/** More rows at a time would no longer stay in a core's own cache between the way there and the way back. */
const MOST_ROWS = 128;

/** Rows that a thread works on at a time. */
export function capacityOf({ buffers }: ModelPlan): number {
  const row = 2 * VALUE * buffers.reduce((sum, values) => sum + values, 0);
  return Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.floor(WANTED_BYTES / row)));
}

/** Takes a thread's places. */
export function takePlaces(plan: ModelPlan, room: Room): Places {
  const capacity = capacityOf(plan);
  let [left, right, otherRight, windows] = [0, 0, 0, 0];
  for (const layer of plan.layers) {
    if (layer.kind === 'dense') {
      const { inputs, outputs } = layer;
      left = Math.max(left, leftBytes(capacity, inputs), leftBytes(capacity, outputs));
      right = Math.max(right, rightBytes(inputs, outputs), rightBytes(outputs, inputs), rightBytes(capacity, outputs));
    } else if (layer.kind === 'convolution') {
      const { steps, columns, linesAtOnce } = convolutionSizes(layer);
      const positions = columns * linesAtOnce;
      left = Math.max(left, leftBytes(positions, steps), leftBytes(positions, layer.filters));
      right = Math.max(right, rightBytes(steps, layer.filters), rightBytes(positions, layer.filters));
      otherRight = Math.max(otherRight, rightBytes(layer.filters, steps));
      windows = Math.max(windows, positions * steps * VALUE);
    }
  }
  const take = (bytes: number): number => (bytes === 0 ? 0 : room.take(bytes));
  return {
    capacity,
    values: plan.buffers.map((values) => room.take(capacity * values * VALUE)),
    slopes: plan.buffers.map((values, buffer) => (buffer === 0 ? 0 : room.take(capacity * values * VALUE))),
    kept: plan.layers.map((layer) => {
      if (layer.kind === 'dropout') return room.take(capacity * layer.values * VALUE);
      return layer.kind === 'pool' ? room.take(capacity * (plan.buffers[layer.to] as number)) : 0;
    }),
    ...{ left: take(left), right: take(right), otherRight: take(otherRight), windows: take(windows) },
  };
}
