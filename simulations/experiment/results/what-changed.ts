import type { FolderFacts } from './folder-facts.ts';

/** Changes that are told of one by one. */
const MOST_TOLD = 5;

/**
 * What of an experiment is not as it was, a sentence each; empty if its results are the same.
 *
 * @param before - what was begun
 * @param now - what is to be gone on with
 */
export function whatChanged(before: FolderFacts, now: FolderFacts): string[] {
  const changes: string[] = [];
  if (before.dataHash !== now.dataHash) {
    changes.push(`the data were ${short(before.dataHash)} and are ${short(now.dataHash)}`);
  }
  if (before.experiment.hash === now.experiment.hash) return changes;
  for (const [path, hash] of Object.entries(now.experiment.ownFiles)) {
    const was = before.experiment.ownFiles[path];
    if (was !== undefined && was !== hash) changes.push(`the content of ${path} is another`);
  }
  const [a, b] = [leaves(axesOf(before)), leaves(axesOf(now))];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    if (a.get(name) !== b.get(name))
      changes.push(`${name} was ${a.get(name) ?? 'absent'} and is ${b.get(name) ?? 'absent'}`);
  }
  if (changes.length === 0) changes.push('its runs are others');
  const more = changes.length - MOST_TOLD;
  return more > 0 ? [...changes.slice(0, MOST_TOLD), `${more} more`] : changes;
}

/** The grid's axes, and what all runs have in common as the first has it. */
function axesOf({ experiment: { runs } }: FolderFacts): unknown {
  const values = (read: (run: FolderFacts['experiment']['runs'][number]) => unknown): string =>
    [...new Set(runs.map((run) => String(read(run))))].join(', ');
  const first = runs[0];
  if (first === undefined) return {};
  const { rule, attack, partition, seed, honest, byzantine, ...common } = first.spec;
  return {
    ...common,
    grid: {
      rule: values(({ cell }) => cell.rule),
      attack: values(({ cell }) => cell.attack),
      f: values(({ cell }) => cell.f),
      n: values(({ cell }) => cell.n),
      partition: values(({ cell }) => cell.partition),
      byzantine: values(({ spec }) => spec.byzantine),
    },
    seeds: values(({ cell }) => cell.seed),
  };
}

function leaves(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, String(value)]]);
  return new Map(
    Object.entries(value).flatMap(([name, inner]) => [...leaves(inner, path === '' ? name : `${path}.${name}`)]),
  );
}

function short(hash: string): string {
  return `${hash.slice(0, 10)}…`;
}
