import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../contracts/package-root.ts';

/** Of one source: what can be covered and what was. */
interface Coverage {
  lines: number;
  linesHit: number;
  branches: number;
  branchesHit: number;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedanchor-coverage-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reads LCOV: one block a source, with sums of lines and branches found and hit. */
function readLcov(text: string): Map<string, Coverage> {
  const sources = new Map<string, Coverage>();
  for (const block of text.split('end_of_record')) {
    const file = /^SF:(.*)$/m.exec(block)?.[1];
    // Proofs are for the model checker and never run.
    if (file === undefined || file.startsWith('contracts/smt/')) continue;
    const sum = (key: string) => Number(new RegExp(`^${key}:(\\d+)$`, 'm').exec(block)?.[1] ?? 0);
    sources.set(file, {
      ...{ lines: sum('LF'), linesHit: sum('LH') },
      ...{ branches: sum('BRF'), branchesHit: sum('BRH') },
    });
  }
  return sources;
}

it('unit tests reach at least 95 % of the contracts, line by line and branch by branch', () => {
  const report = join(folder, 'lcov.info');
  const forge = [join(packageRoot(), 'contracts', 'forge.mjs'), 'coverage', '--exclude-tests'];
  // Invariants are left out, for what random calls happen to reach proves little, and bars of gas, which are for optimized code.
  const options = ['--no-match-contract', 'Invariants|AnswerGas', '--report', 'lcov', '--report-file', report];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...forge, ...options], {
    encoding: 'utf8',
    // Coverage compiles without the optimizer: in a folder of its own, so that the next test run need not start over.
    env: { ...process.env, FOUNDRY_OUT: join(folder, 'out'), FOUNDRY_CACHE_PATH: join(folder, 'cache') },
  });
  expect(status, stdout + stderr).toBe(0);
  const sources = readLcov(readFileSync(report, 'utf8'));
  expect(sources.size).toBeGreaterThan(20);
  const total = { lines: 0, linesHit: 0, branches: 0, branchesHit: 0 };
  for (const [file, each] of sources) {
    for (const key of Object.keys(total) as (keyof Coverage)[]) total[key] += each[key];
    expect(each.linesHit / each.lines, `lines of ${file}`).toBeGreaterThanOrEqual(0.9);
  }
  expect(total.linesHit / total.lines).toBeGreaterThanOrEqual(0.95);
  expect(total.branchesHit / total.branches).toBeGreaterThanOrEqual(0.95);
});
