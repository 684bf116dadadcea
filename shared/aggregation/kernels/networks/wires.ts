import type { Lanes, Value } from './lanes.ts';
import type { Step } from './sorting-network.ts';
import type { WasmCode } from './wasm-code.ts';

/**
 * Values that are kept in registers at a time. There are 16 of 16 bytes, of which an engine keeps some to itself.
 *
 * Left to itself an engine may load all values first and spill them to the stack in an order of its own: written down with
 * its loads and stores, the same network took 10 ms in place of 20 on one.
 */
const REGISTERS = 13;

/** Bytes of a vector. */
const VECTOR = 16;

/** Where a network's values come from and are put. */
export interface WirePlaces {
  /** Local with the address of the first row's vector. */
  readonly rows: number;
  /** Bytes from one row to the next. */
  readonly rowBytes: number;
  /** Local with the address of n vectors of room. */
  readonly scratch: number;
  /** Rows, one a wire. */
  readonly n: number;
}

/**
 * Writes the code of a network's steps, in runs that work in registers: what a run needs is loaded, compared, and stored
 * before the next.
 *
 * @returns for each wire, what leaves its value on the stack
 */
export function runSteps(
  code: WasmCode,
  lanes: Lanes,
  steps: readonly Step[],
  places: WirePlaces,
): (wire: number) => Value {
  const locals = Array.from({ length: places.n }, () => code.vector());
  const local = (wire: number): number => locals[wire] as number;
  const inScratch = new Set<number>();
  const read = (wire: number): void => {
    const moved = inScratch.has(wire);
    code.get(moved ? places.scratch : places.rows);
    code.load(wire * (moved ? VECTOR : places.rowBytes));
  };
  for (const run of runsOf(steps)) {
    const wires = new Set(run.flatMap(({ low, high }) => [low, high]));
    for (const wire of wires) {
      read(wire);
      code.set(local(wire));
    }
    const changed = new Set<number>();
    for (const { low, high, keepsLow, keepsHigh } of run) {
      if (keepsLow) pick(low, high, lanes.min);
      if (keepsHigh) pick(low, high, lanes.max);
      if (keepsHigh) code.set(local(high));
      if (keepsLow) code.set(local(low));
      for (const [wire, keeps] of [
        [low, keepsLow],
        [high, keepsHigh],
      ] as const) {
        if (keeps) changed.add(wire);
        else changed.delete(wire);
      }
    }
    for (const wire of changed) {
      code.get(places.scratch);
      code.get(local(wire));
      code.store(wire * VECTOR);
      inScratch.add(wire);
    }
  }
  return (wire) => () => read(wire);

  function pick(low: number, high: number, which: number): void {
    code.get(local(low));
    code.get(local(high));
    code.simd(which);
  }
}

/** Cuts steps into runs that touch no more wires than there are registers. */
function runsOf(steps: readonly Step[]): Step[][] {
  const runs: Step[][] = [];
  let wires = new Set<number>();
  for (const step of steps) {
    const more = new Set([...wires, step.low, step.high]);
    const run = runs.at(-1);
    if (run === undefined || more.size > REGISTERS) {
      runs.push([step]);
      wires = new Set([step.low, step.high]);
    } else {
      run.push(step);
      wires = more;
    }
  }
  return runs;
}
