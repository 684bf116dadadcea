import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DirectoryReader, readDirectory } from '../../../client/data/directory-reader.ts';
import { assignFolders } from '../../../client/data/folder-assignment.ts';
import { assignPackages, dealPackages, PACKAGES_PER_CLIENT } from '../../../client/data/package-assignment.ts';
import { openCorpus } from '../../../client/data/text-corpus.ts';
import { createRng } from '../../../shared/rng.ts';
import { makeFolder, makeText } from './temporary-folder.ts';

function shuffling(seed: number): DirectoryReader {
  const rng = createRng(seed);
  return async (folder) => {
    const entries = [...(await readDirectory(folder))];
    for (let at = entries.length - 1; at > 0; at--) {
      const other = rng.below(at + 1);
      const moved = entries[at];
      const replacement = entries[other];
      if (moved !== undefined && replacement !== undefined) [entries[at], entries[other]] = [replacement, moved];
    }
    return entries;
  };
}

describe('dealPackages', () => {
  const packages = fc.uniqueArray(
    fc.record({ name: fc.string({ minLength: 1 }), bytes: fc.integer({ min: 1, max: 5 }) }),
    { selector: ({ name }) => name, minLength: 4, maxLength: 30 },
  );

  it('gives no package twice and every client equally many', () => {
    fc.assert(
      fc.property(packages, fc.integer({ min: 1, max: 4 }), (candidates, clients) => {
        const dealt = dealPackages(candidates, clients);
        const rounds = Math.min(PACKAGES_PER_CLIENT, Math.floor(candidates.length / clients));
        expect(dealt.map((names) => names.length)).toEqual(Array.from({ length: clients }, () => rounds));
        expect(new Set(dealt.flat()).size).toBe(rounds * clients);
      }),
    );
  });

  it('does not depend on the order of the candidates', () => {
    fc.assert(
      fc.property(packages, (candidates) => {
        expect(dealPackages([...candidates].reverse(), 3)).toEqual(dealPackages(candidates, 3));
      }),
    );
  });

  it('deals there and back again', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'left over'];
    const candidates = names.map((name, index) => ({ name, bytes: 100 - index }));
    expect(dealPackages(candidates, 3)).toEqual([
      ['a', 'f', 'g'],
      ['b', 'e', 'h'],
      ['c', 'd', 'i'],
    ]);
  });

  it('refuses more clients than packages', () => {
    expect(() => dealPackages([{ name: 'a', bytes: 1 }], 2)).toThrow(
      expect.objectContaining({ code: 'data/too-few-packages' }),
    );
    expect(() => dealPackages([], 0)).toThrow(expect.objectContaining({ code: 'data/bad-option' }));
  });
});

describe('assignPackages', () => {
  const installed = (): Promise<string> =>
    makeFolder({
      'alpha/readme.md': makeText(1, 60_000),
      'beta/dist/index.d.ts': makeText(2, 50_000),
      'beta/node_modules/nested/readme.md': makeText(9, 90_000),
      '@scope/one/readme.md': makeText(3, 30_000),
      '@scope/two/readme.md': makeText(4, 30_000),
      'gamma/readme.md': makeText(5, 40_000),
      'copies/a.md': makeText(6, 30_000),
      'copies/b.md': makeText(6, 30_000),
      'code-only/index.js': makeText(7, 90_000),
      '.cache/readme.md': makeText(8, 90_000),
    });

  it('gives the same answer however the file system lists its folders', async () => {
    const folder = await installed();
    const assigned = await assignPackages(folder, 2);
    expect(assigned.map(({ names }) => names)).toEqual([
      ['@scope', 'gamma'],
      ['alpha', 'beta'],
    ]);
    expect(assigned[0]?.folders).toEqual([join(folder, '@scope'), join(folder, 'gamma')]);
    for (const seed of [1, 2, 3]) expect(await assignPackages(folder, 2, shuffling(seed))).toEqual(assigned);
  });

  it('names the missing folder', async () => {
    await expect(assignPackages(join(await installed(), 'gone'), 2)).rejects.toMatchObject({
      code: 'data/folder-missing',
    });
  });

  it('finds six clearly different texts among the packages installed here', async () => {
    const assigned = await assignPackages(join(import.meta.dirname, '../../../node_modules'), 6);
    const names = assigned.flatMap((client) => client.names);
    expect(new Set(names).size).toBe(names.length);
    const corpora = await Promise.all(assigned.map(({ folders }) => openCorpus(folders, { kind: 'documentation' })));
    const inTraining = corpora.map((corpus) => corpus.samples);
    expect(Math.min(...inTraining)).toBeGreaterThan(100_000);
    expect(Math.max(...inTraining) / Math.min(...inTraining)).toBeLessThan(3);
    const windows = corpora.map((corpus) => new Set(corpus.heldOutWindows.map(String)));
    windows.forEach((mine, index) => {
      for (const other of windows.slice(index + 1)) {
        expect([...mine].filter((window) => other.has(window)).length).toBeLessThan(100);
      }
    });
  });
});

describe('assignFolders', () => {
  it('gives each sub-folder to one client in code-unit order', async () => {
    const folder = await makeFolder({
      'b/x.txt': 'x',
      'A/y.txt': 'y',
      'a/z.txt': 'z',
      '.git/q': 'q',
      'loose.txt': 'l',
    });
    const assigned = await assignFolders(folder, shuffling(4));
    expect(assigned.map(({ names }) => names[0])).toEqual(['A', 'a', 'b']);
    expect(assigned[2]?.folders).toEqual([join(folder, 'b')]);
  });

  it('explains an empty and a missing folder', async () => {
    const folder = await makeFolder({ 'loose.txt': 'l' });
    await expect(assignFolders(folder)).rejects.toMatchObject({ code: 'data/no-client-folders' });
    await expect(assignFolders(join(folder, 'gone'))).rejects.toMatchObject({ code: 'data/folder-missing' });
  });
});
