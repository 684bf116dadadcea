import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ConfigError, type ConfigFinding, parseConfig } from '../../shared/config-check.ts';
import { dataFindings } from '../data/data-spec.ts';
import { modelFindings } from '../models/model-spec.ts';
import type { Experiment, ExperimentRun } from './experiment.ts';
import { expandGrid } from './grid.ts';
import { hashOwnFiles, ownPaths } from './own-files.ts';
import { readAxes } from './read-axes.ts';
import { hashOf } from './run-id.ts';
import { experimentFindings, experimentSchema } from './schema.ts';

/**
 * Reads an experiment's file. Everything that can be wrong with it and does not depend on the data is looked for, and all
 * that is found is told.
 *
 * @throws ConfigError `config/unreadable`, `config/syntax`; `config/invalid`, naming each field and, for a name that is not
 *   known, the nearest that is
 * @throws ExperimentError `experiment/own-file`
 */
export async function readExperiment(path: string): Promise<Experiment> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new ConfigError('config/unreadable', `${path} cannot be read: check the path`, { file: path }, cause);
  });
  const value = parseConfig(path, text);
  refuse(path, experimentFindings(value));
  const file = experimentSchema.parse(value);
  const baseFolder = dirname(resolve(path));
  const findings: ConfigFinding[] = [
    ...within('data', dataFindings(file.data)),
    ...within('model', modelFindings(file.model)),
  ];
  const axes = await readAxes(file, baseFolder, findings);
  refuse(path, findings);
  const runs = expandGrid(file, axes);
  refuse(path, twice(runs));
  const paths = runs.flatMap(({ spec }) => ownPaths(spec));
  const ownFiles = await hashOwnFiles(paths, baseFolder);
  const hash = hashOf({ runs: runs.map(({ id, cell }) => [id, cell]), ownFiles });
  return { name: file.name, title: file.title ?? file.name, seeds: file.seeds, runs, ownFiles, hash };
}

function within(section: string, findings: readonly ConfigFinding[]): ConfigFinding[] {
  return findings.map(({ field, message }) => ({ field: `${section}.${field}`, message }));
}

/** Runs that the grid has twice: a value of an axis was written twice, under one name or two. */
function twice(runs: readonly ExperimentRun[]): ConfigFinding[] {
  const seen = new Map<string, ExperimentRun>();
  for (const run of runs) {
    const before = seen.get(run.id);
    seen.set(run.id, run);
    if (before === undefined) continue;
    const { rule, attack, partition, seed } = run.cell;
    const message = `${rule}, ${attack}, ${partition}, seed ${seed} is there twice: name each value of an axis once`;
    return [{ field: 'grid', message }];
  }
  return [];
}

function refuse(path: string, findings: readonly ConfigFinding[]): void {
  const [first, ...others] = findings;
  if (first === undefined) return;
  const lines = findings.map(({ field, message }) => `field "${field}": ${message}`);
  const sentence = others.length === 0 ? `${path}, ${lines[0]}` : [`${path}:`, ...lines].join('\n  ');
  throw new ConfigError('config/invalid', sentence, { file: path, field: first.field, findings });
}
