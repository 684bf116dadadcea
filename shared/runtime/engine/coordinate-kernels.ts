import type { Reduction } from '../../aggregation/engine.ts';
import { coordinateKernel, hasCoordinateKernel } from '../../aggregation/kernels/networks/coordinate-kernel.ts';
import type { LaneKind } from '../../aggregation/kernels/networks/lanes.ts';
import { checkExact, reductionDenominator } from '../../aggregation/reduction.ts';
import { type KernelMixing, kernelMixing } from './kernel-inputs.ts';
import { ROW_BYTES } from './tile-plan.ts';
import type { Aggregation } from './walk.ts';

/** Kernels that are kept: rules and numbers of updates change seldom. */
const KEPT_KERNELS = 32;

/** Finds or writes kernels of coordinate rules. */
export interface CoordinateKernels {
  /**
   * What threads need to compute a reduction; undefined when there is no kernel for it.
   *
   * @param n - updates
   * @throws AggregationError `aggregation/too-large`
   */
  prepare(reduction: Reduction, n: number): Promise<(Aggregation & { kind: 'reduce' }) | undefined>;
}

/** Creates an empty store of kernels. */
export function createCoordinateKernels(): CoordinateKernels {
  const modules = new Map<string, Promise<WebAssembly.Module>>();

  const moduleOf = (name: string, write: () => Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> => {
    const module = modules.get(name) ?? WebAssembly.compile(write());
    modules.delete(name);
    modules.set(name, module);
    for (const oldest of modules.keys()) if (modules.size > KEPT_KERNELS) modules.delete(oldest);
    return module;
  };

  return {
    prepare: async ({ rule, f, mixing }, n) => {
      const rows = mixing?.entries.length ?? n;
      checkExact(rule, rows, f, mixing);
      if (!hasCoordinateKernel(rule.name, rows, f)) return undefined;
      const mixed = mixing === null ? null : kernelMixing(mixing, n * ROW_BYTES);
      const lanes = lanesFor(mixed, rows);
      if (lanes === undefined) return undefined;
      const name = `${rule.name} n=${rows} f=${f} ${lanes}`;
      const module = await moduleOf(name, () => coordinateKernel(rule.name, rows, f, lanes));
      const denominator = reductionDenominator(rule, rows, f, mixing);
      return { kind: 'reduce', name, module, lanes, mixing: mixed, denominator };
    },
  };
}

/** Twice the sum of all values is the most that a kernel compares. */
function lanesFor(mixing: KernelMixing | null, rows: number): LaneKind | undefined {
  if (mixing === null) return 'int16';
  if (!mixing.wide) return 'int32';
  return 2 * rows * mixing.most <= Number.MAX_SAFE_INTEGER ? 'float64' : undefined;
}
