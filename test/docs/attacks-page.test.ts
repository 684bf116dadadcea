import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listAttacks } from '../../simulations/attacks/describe-attacks.ts';
import { forgeUpdates } from '../../simulations/attacks/forge-updates.ts';
import { parseSimulatedAttack, resolveAttack } from '../../simulations/attacks/registry.ts';
import { listPartitions } from '../../simulations/partitions/describe-partitions.ts';
import { parsePartition } from '../../simulations/partitions/registry.ts';
import { sceneOf } from '../simulations/attacks/scenes.ts';

const page = readFileSync(new URL('../../docs/attacks.md', import.meta.url), 'utf8');

/** The table row of a name. */
function rowOf(name: string): string {
  return page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
}

describe('docs/attacks.md', () => {
  it.each([...listAttacks(), ...listPartitions()].map((entry) => [entry.name, entry] as const))(
    'has %s, with every parameter and its default',
    (name, { parameters }) => {
      const row = rowOf(name);
      expect(row).not.toBe('');
      const like = /as `(\w+)`/.exec(row)?.[1];
      const described = like === undefined ? row : rowOf(like);
      for (const parameter of parameters) {
        const value = parameter.default === 1e-5 ? '0.00001' : parameter.default;
        expect(described).toContain(`\`${parameter.name}\` = ${value}`);
      }
    },
  );

  it('has no attack or partition that is not there', () => {
    const known = [...listAttacks(), ...listPartitions()].map(({ name }) => name);
    const rows = [...page.matchAll(/^\| `([A-Z]\w+|iid|dirichlet|gamma|shards|quantity|natural)` \|/gm)];
    expect(rows.map((row) => row[1]).sort()).toEqual(known.sort());
  });

  it('has an attack in a file that works as it says', async () => {
    const source = /```js\n([\s\S]*?)```/.exec(page)?.[1] as string;
    const folder = mkdtempSync(join(tmpdir(), 'attacks-page-'));
    writeFileSync(join(folder, 'my-attack.mjs'), source);
    const { attack, params } = await resolveAttack({ name: './my-attack.mjs', params: { scale: 2 } }, folder);
    if (attack.kind !== 'update') throw new Error('the page shows another kind');
    const honest = [Float32Array.of(1, 1), Float32Array.of(5, 6), Float32Array.of(1, 2)];
    const sent = await forgeUpdates(attack, sceneOf(honest, { byzantine: 2 }), params);
    expect(sent).toEqual([Float32Array.of(-10, -12), Float32Array.of(-10, -12)]);
  });

  it('names attacks and partitions as they can be written', () => {
    for (const text of [
      'SignFlipping',
      'ALIE:tau=1.5',
      'IPM:10',
      'LabelFlipping:from=5,to=3',
      'Optimal_ALittleIsEnough',
    ]) {
      expect(page).toContain(text);
      parseSimulatedAttack(text);
    }
    for (const text of ['dirichlet:0.5', 'gamma_similarity_niid']) {
      expect(page).toContain(text);
      parsePartition(text);
    }
  });
});
