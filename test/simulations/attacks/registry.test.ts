import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import { describeAttacks, listAttacks } from '../../../simulations/attacks/describe-attacks.ts';
import { forgeUpdates } from '../../../simulations/attacks/forge-updates.ts';
import { parseSimulatedAttack, resolveAttack, SIMULATED_ATTACKS } from '../../../simulations/attacks/registry.ts';
import type { UpdateAttack } from '../../../simulations/attacks/scene.ts';
import { sceneOf, updatesOf } from './scenes.ts';

const folder = mkdtempSync(join(tmpdir(), 'attacks-'));

function file(name: string, source: string): string {
  writeFileSync(join(folder, name), source);
  return `./${name}`;
}

describe('parseSimulatedAttack', () => {
  it.each([
    ['SignFlipping', 'SignFlipping', {}],
    ['sign-flip', 'SignFlipping', {}],
    ['IPM', 'IPM', { tau: 2 }],
    ['ipm:10', 'IPM', { tau: 10 }],
    ['innerproductmanipulation: tau = 0.1', 'IPM', { tau: 0.1 }],
    ['ALIE', 'ALIE', { tau: 'z_max' }],
    ['ALIE:tau=-0.7', 'ALIE', { tau: -0.7 }],
    ['minmax:std', 'MinMax', { direction: 'std', gamma: 10, threshold: 1e-5 }],
    ['Mimic:epsilon=search,warmup=4', 'Mimic', { epsilon: 'search', warmup: 4 }],
    ['badnets:boost=13,target=7', 'Backdoor', { boost: 13, fraction: 0.5, size: 4, target: 7, value: 'max' }],
  ])('reads %s', (text, name, params) => {
    const chosen = parseSimulatedAttack(text);
    expect(chosen.attack.name).toBe(name);
    expect(chosen.params).toEqual(params);
  });

  it.each([
    ['charm', 'attack/unknown', 'there is no attack named "charm": choose one of SignFlipping, IPM,'],
    ['SignFliping', 'attack/unknown', 'did you mean "SignFlipping"?'],
    ['', 'attack/unknown', 'there is no attack named ""'],
    ['IPM:sigma=1', 'attack/unknown-parameter', 'IPM has no parameter "sigma": it takes tau'],
    ['MinMax:direktion=std', 'attack/unknown-parameter', 'did you mean "direction"?'],
    ['SignFlipping:3', 'attack/bad-parameter', '"3" in "SignFlipping:3" is not a setting'],
    ['IPM:', 'attack/bad-parameter', 'is not a setting'],
    ['IPM:tau=1,tau=2', 'attack/bad-parameter', 'write each once'],
    ['MinMax:std,gamma=1', 'attack/bad-parameter', 'as name=value'],
    ['IPM:tau=much', 'attack/bad-parameter', `IPM's parameter "tau" cannot be "much": give one of a signed number`],
    ['Backdoor:fraction=1.5', 'attack/bad-parameter', 'a positive number up to 1'],
    ['Gaussian:sigma=-1', 'attack/bad-parameter', 'a non-negative number'],
  ])('refuses "%s" as %s', (text, code, message) => {
    expect(() => parseSimulatedAttack(text)).toThrow(expect.objectContaining({ code }));
    expect(() => parseSimulatedAttack(text)).toThrow(message);
  });
});

describe('the registry', () => {
  it('has no name twice, and every attack says where it is described', () => {
    const names = SIMULATED_ATTACKS.flatMap(({ name, aliases }) => [name, ...aliases]).map((name) =>
      name.toLowerCase(),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const { source, summary } of SIMULATED_ATTACKS) {
      expect(source.length).toBeGreaterThan(20);
      expect(summary.length).toBeGreaterThan(20);
    }
  });

  it('lists every attack with its parameters, and their defaults are taken', () => {
    const entries = listAttacks();
    const text = describeAttacks(entries);
    for (const { name, parameters } of entries) {
      expect(text).toContain(`  ${name}`);
      const given = Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter.default]));
      expect(parseSimulatedAttack(name).params).toEqual(given);
      for (const parameter of parameters) expect(text).toContain(`${parameter.name} = ${parameter.default}: `);
    }
    expect(entries.find(({ name }) => name === 'OptimalALIE')).toMatchObject({ kind: 'update', knows: 'rule' });
  });
});

describe('attacks on updates', () => {
  const attacks = SIMULATED_ATTACKS.filter((attack): attack is UpdateAttack => attack.kind === 'update');

  it.each(attacks.map((attack) => [attack.name, attack] as const))(
    '%s: same bits again, scene untouched',
    async (_, attack) => {
      const { params } = parseSimulatedAttack(attack.name);
      const honest = updatesOf(7, 40);
      const own = updatesOf(2, 40, 2);
      const kept = [...honest, ...own].map((update) => update.slice());
      const rounds = async (): Promise<Float32Array[]> => {
        const memory = new Map<string, unknown>();
        const sent: Float32Array[] = [];
        for (let round = 1; round <= 3; round += 1) {
          const lastMove = round === 1 ? null : (honest[round] as Float32Array);
          const scene = sceneOf(honest, { round, byzantine: 2, own, lastMove, rng: createRng(round), memory });
          sent.push(...(await forgeUpdates(attack, scene, params)));
        }
        return sent;
      };
      const first = await rounds();
      expect(first).toHaveLength(6);
      expect(await rounds()).toEqual(first);
      expect([...honest, ...own]).toEqual(kept);
    },
  );
});

describe('resolveAttack', () => {
  it('finds a name', async () => {
    const { attack, params } = await resolveAttack({ name: 'alie', params: { tau: 1.5 } });
    expect([attack.name, params]).toEqual(['ALIE', { tau: 1.5 }]);
  });

  it('takes an attack from a file, with parameters of its own, and calls it on the object it came with', async () => {
    const name = file(
      'drift.mjs',
      `const drift = {
        name: 'Drift', kind: 'update', push: 3,
        parameters: [{ name: 'by', meaning: 'how far', default: 1, real: 'signed' }],
        forge({ honest, byzantine }, { by }) {
          return Array.from({ length: byzantine }, () => honest[0].map((value) => value + this.push * by));
        },
      };
      export default drift;`,
    );
    const { attack, params } = await resolveAttack({ name, params: { by: -2 } }, folder);
    expect(attack).toMatchObject({
      name: 'Drift',
      kind: 'update',
      looksAt: 'honest',
      source: join(folder, 'drift.mjs'),
    });
    const sent = await forgeUpdates(attack as UpdateAttack, sceneOf([Float32Array.of(1, 2)]), params);
    expect(sent).toEqual([Float32Array.of(-5, -4)]);
    await expect(resolveAttack({ name, params: { far: 1 } }, folder)).rejects.toMatchObject({
      code: 'attack/unknown-parameter',
    });
  });

  it('takes attacks on data and on statements from files', async () => {
    const data = file(
      'zeros.mjs',
      `export default { name: 'Zeros', kind: 'data', factor: 2,
        poison: (examples) => ({ ...examples, labels: examples.labels.map(() => 0) }),
        boost() { return this.factor; } };`,
    );
    const { attack } = await resolveAttack({ name: data, params: {} }, folder);
    if (attack.kind !== 'data') throw new Error('not a data attack');
    expect(attack.boost?.({})).toBe(2);
    expect(attack.triggered).toBeUndefined();
    const claim = file('one.mjs', `export default { name: 'One', kind: 'claim', claim: () => 1 };`);
    const { attack: one } = await resolveAttack({ name: claim, params: {} }, folder);
    expect(one.kind === 'claim' && one.claim(50, {})).toBe(1);
  });

  it.each([
    ['nothing', 'export const a = 1;', 'has no object as its default export'],
    ['nameless', `export default { kind: 'update', forge() {} };`, 'has no "name"'],
    ['kindless', `export default { name: 'X', forge() {} };`, 'has no "kind" that is update, data or claim'],
    [
      'forgeless',
      `export default { name: 'X', kind: 'update' };`,
      'has no function "forge", which an attack of kind update needs',
    ],
    ['poisonless', `export default { name: 'X', kind: 'data', forge() {} };`, 'has no function "poison"'],
    [
      'looks',
      `export default { name: 'X', kind: 'update', looksAt: 'all', forge() {} };`,
      'has a "looksAt" that is not',
    ],
    [
      'parameter',
      `export default { name: 'X', kind: 'claim', claim() {}, parameters: [{ name: 'by', default: 1 }] };`,
      'does not say what its parameter "by" takes',
    ],
    ['broken', 'export default {', 'cannot be loaded'],
  ])('names what is wrong with a file: %s', async (name, source, message) => {
    const path = file(`${name}.mjs`, source);
    const refusal = resolveAttack({ name: path, params: {} }, folder);
    await expect(refusal).rejects.toMatchObject({ code: 'attack/bad-file' });
    await expect(refusal).rejects.toThrow(message);
    await expect(refusal).rejects.toThrow(join(folder, `${name}.mjs`));
  });

  it('names a file that is not there', async () => {
    const refusal = resolveAttack({ name: './absent.mjs', params: {} }, folder);
    await expect(refusal).rejects.toMatchObject({ code: 'attack/bad-file' });
  });
});

describe('forgeUpdates', () => {
  const honest = updatesOf(3, 4);
  const zero = parseSimulatedAttack('ZeroUpdate').attack as UpdateAttack;

  it.each<[string, () => unknown, string]>([
    ['too few', () => [honest[0]], 'forged 1 updates in round 1: return 2'],
    ['no array', () => undefined, 'forged no array'],
    ['another length', () => [new Float32Array(3), new Float32Array(3)], 'no Float32Array of 4 values as update 0'],
    ['plain numbers', () => [[1, 2, 3, 4], honest[0]], 'no Float32Array of 4 values as update 0'],
    ['a NaN', () => [honest[0], Float32Array.of(1, Number.NaN, 2, 3)], 'forged NaN at coordinate 1 of update 1'],
  ])('refuses %s', async (_, forge, message) => {
    const attack = { ...zero, forge: forge as UpdateAttack['forge'] };
    const refusal = forgeUpdates(attack, sceneOf(honest, { byzantine: 2 }), {});
    await expect(refusal).rejects.toMatchObject({ code: 'attack/bad-forgery' });
    await expect(refusal).rejects.toThrow(message);
  });
});
