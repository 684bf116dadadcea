import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from '../../../../client/log.ts';
import {
  createProcessTrainer,
  type ProcessTrainer,
  type ProcessTrainerOptions,
} from '../../../../client/trainers/process/process-trainer.ts';

const PROGRAM = fileURLToPath(new URL('program.mjs', import.meta.url));

/** Two tensors, one of them a scalar. */
const TENSORS = [
  { name: 'layer/kernel', shape: [2, 3] },
  { name: 'bias', shape: [] },
];

/** Weights for them. */
export const WEIGHTS = [Float32Array.of(1, -2, 3, 0.1, 0, -0), Float32Array.of(7)];

/** One line of a log. */
export interface Told {
  readonly level: keyof Log;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A folder for programs and their folders, and what was told. */
export interface Lab {
  readonly folder: string;
  readonly told: Told[];
  readonly log: Log;
  /** The command for a program that does one thing wrong. */
  command(...args: readonly string[]): string;
  /** Starts one. */
  start(args: readonly string[], changes?: Partial<ProcessTrainerOptions>): Promise<ProcessTrainer>;
  /** Ends all that were started, and looks that nothing of them is left. */
  close(): Promise<readonly string[]>;
}

/** Opens a lab. */
export async function openLab(): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-process-'));
  const told: Told[] = [];
  const started: ProcessTrainer[] = [];
  const log = Object.fromEntries(
    (['debug', 'info', 'warn', 'error'] as const).map((level) => [
      level,
      (fields: Readonly<Record<string, unknown>>, message: string) => void told.push({ level, fields, message }),
    ]),
  ) as unknown as Log;
  const command = (...args: readonly string[]): string =>
    [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(' ');
  return {
    folder,
    told,
    log,
    command,
    start: async (args, changes = {}) => {
      const trainer = await createProcessTrainer({
        command: command(...args),
        tensors: TENSORS,
        task: { kind: 'custom', architecture: null, training: { rate: 0.5 }, data: [] },
        usefulMs: 20_000,
        data: [],
        salt: new Uint8Array(32).fill(7),
        environment: process.env,
        log,
        pauses: { firstMs: 1, mostMs: 2 },
        folderParent: folder,
        ...changes,
      });
      started.push(trainer);
      return trainer;
    },
    close: async () => {
      for (const trainer of started) {
        trainer.dispose();
        await trainer.ended();
      }
      const left = (await readdir(folder)).filter((name) => name.startsWith('fedanchor-trainer-'));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      return left;
    },
  };
}

/** The error that a promise ends in. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  return promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error) => error,
  );
}
