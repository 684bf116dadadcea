import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Experiment, ExperimentRun } from '../../../simulations/experiment/experiment.ts';
import { failedResult } from '../../../simulations/experiment/failed-result.ts';
import { readExperiment } from '../../../simulations/experiment/read-experiment.ts';
import type { RunResult } from '../../../simulations/experiment/run-result.ts';

/** A small experiment that needs no files, as text; `edit` replaces parts of it. */
export function exampleToml(...edits: readonly (readonly [from: string, to: string])[]): string {
  let text = EXAMPLE;
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`the example has no ${from}`);
    text = text.replace(from, to);
  }
  return text;
}

const EXAMPLE = `name = "example"
seeds = [0, 1]
[data]
name = "synthetic"
devices = 6
most = 60
features = 8
classes = 3
[model]
name = "softmax"
[federation]
honest = 6
rounds = 4
[grid]
rule = ["Average", "Median"]
attack = ["none", "SignFlipping"]
f = 2
partition = "dirichlet:alpha=1"
[training]
mode = "gradient"
batch = 5
[server]
learningRate = 0.1
[evaluation]
every = 2
`;

/** A folder that is gone after the test. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-experiment-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Reads an experiment from its text. */
export async function readText(toml: string): Promise<Experiment> {
  const file = join(await testFolder(), 'experiment.toml');
  await writeFile(file, toml);
  return readExperiment(file);
}

/** A result that says how accurate its run was. */
export function someResult({ spec }: ExperimentRun, accuracy: number): RunResult {
  const { reason: _, ...rest } = failedResult(spec, '0x00', { code: 'none', message: 'none' });
  return { ...rest, outcome: 'finished', finalAccuracy: accuracy, bestAccuracy: accuracy };
}
