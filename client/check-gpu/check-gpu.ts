import { arch, cpus, platform, release, totalmem } from 'node:os';
import { BACKEND_NAMES, type BackendName } from '../trainers/tfjs/backend.ts';
import { GRADIENT_TOLERANCE, LOSS_TOLERANCE } from './backend-checks.ts';
import type { ChildOutcome, ChildWork } from './child-work.ts';
import type { Throughput } from './measure-throughput.ts';
import type { ChildLoss } from './run-child.ts';
import { BATCH_SIZE } from './throughput-models.ts';

/** What to check, and how thoroughly. */
export interface CheckGpuOptions {
  /** Backends; default: all but the plain one. */
  readonly backends?: readonly BackendName[];
  /** Which GPU. */
  readonly device?: string;
  /** Models whose steps are timed. */
  readonly models: readonly string[];
  /** Seconds for which each is timed. */
  readonly seconds: number;
  /** Rounds after which no tensor must be left over; 0 leaves the suite out. */
  readonly leakRounds: number;
  /** Seconds after which a suite or a model is given up. */
  readonly limitSeconds: number;
}

/** One line of the table. */
export interface ThroughputRow {
  /** What trained. */
  readonly backend: BackendName;
  /** What was trained. */
  readonly model: string;
  /** What was measured, or why nothing was. */
  readonly result: Throughput | string;
}

/** Everything that was found, as `--json` writes it. */
export interface CheckGpuReport {
  /** Node, operating system, processor and memory. */
  readonly machine: string;
  /** Backends that there are, with what they compute on and whether they passed. */
  readonly backends: readonly { readonly name: BackendName; readonly device: string; readonly passed: boolean }[];
  /** Backends that there are not, and why. */
  readonly missing: readonly { readonly name: BackendName; readonly reason: string }[];
  /** Training steps. */
  readonly throughput: readonly ThroughputRow[];
}

/** How work is done in a process of its own. */
export type ChildRunner = (work: ChildWork, limitMs: number) => Promise<ChildOutcome | ChildLoss>;

/**
 * Runs the suite and times training steps on every backend that there is.
 *
 * @param options - what
 * @param run - does one part of it
 * @param tell - told one line at a time
 */
export async function checkGpu(
  options: CheckGpuOptions,
  run: ChildRunner,
  tell: (line: string) => void,
): Promise<CheckGpuReport> {
  const machine = describeMachine();
  tell(machine);
  const backends: { name: BackendName; device: string; passed: boolean }[] = [];
  const missing: { name: BackendName; reason: string }[] = [];
  const throughput: ThroughputRow[] = [];
  const limitMs = options.limitSeconds * 1_000;
  for (const name of options.backends ?? BACKEND_NAMES.filter((each) => each !== 'cpu')) {
    tell('');
    // A device is one of a GPU; the others are there to compare with.
    const isGpu = name === 'webgpu' || name === 'node-gpu';
    const where = { backend: name, ...(options.device === undefined || !isGpu ? {} : { device: options.device }) };
    const suite = await run({ ...where, task: { kind: 'suite', leakRounds: options.leakRounds } }, limitMs);
    if (suite.kind === 'unavailable') {
      tell(suite.reason);
      missing.push({ name, reason: suite.reason });
      continue;
    }
    const passed = suite.kind === 'suite' && suite.checks.every((check) => check.passed);
    if (suite.kind === 'lost') tell(`${name}: FAILED, ${suite.reason}`);
    if (suite.kind === 'suite' && suite.checks.length > 0) {
      const count = suite.checks.filter((check) => check.passed).length;
      tell(
        `${name}: ${count} of ${suite.checks.length} checks passed${suite.device === '' ? '' : `, on ${suite.device}`}`,
      );
    }
    backends.push({ name, device: suite.kind === 'suite' ? suite.device : '', passed });
    for (const model of options.models) {
      const timed = await run({ ...where, task: { kind: 'throughput', model, seconds: options.seconds } }, limitMs);
      const result = timed.kind === 'throughput' ? timed.throughput : 'reason' in timed ? timed.reason : 'no answer';
      throughput.push({ backend: name, model, result });
      tell(`${name}, ${model}: ${typeof result === 'string' ? result : `${result.stepMs.toFixed(1)} ms a step`}`);
    }
  }
  return { machine, backends, missing, throughput };
}

/** The report as a Markdown table, ready for docs/gpu.md. */
export function renderThroughput({ backends, throughput }: CheckGpuReport): string {
  const head = [
    'backend',
    'on',
    'model',
    'parameters',
    'ms a step',
    'of processors',
    'steps/s',
    'examples/s',
    'largest memory',
  ];
  const rows = throughput.map(({ backend, model, result }) => {
    const device = backends.find(({ name }) => name === backend)?.device || 'CPU';
    if (typeof result === 'string') return [backend, device, model, '', result, '', '', '', ''];
    return [
      backend,
      device,
      model,
      result.parameters.toLocaleString('en-US'),
      result.stepMs.toFixed(1),
      `${result.processorMs.toFixed(1)} ms`,
      (1_000 / result.stepMs).toFixed(1),
      Math.round((1_000 * BATCH_SIZE) / result.stepMs).toLocaleString('en-US'),
      `${Math.round(result.peakBytes / 1e6)} MB`,
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What the suite holds a backend to, in a sentence. */
export const TOLERANCES = `losses within ${LOSS_TOLERANCE} of the plain backend's, gradients within ${GRADIENT_TOLERANCE} of numeric ones`;

function describeMachine(): string {
  const processors = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `Node ${process.version}, ${platform()} ${release()} ${arch()}, ${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}, ${memory}`;
}
