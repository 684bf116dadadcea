import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fedanchor-gates-'));
  await mkdir(join(folder, 'test/gates'), { recursive: true });
  await cp(join(import.meta.dirname, 'run.mjs'), join(folder, 'test/gates/run.mjs'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('all gates pass: the sum is the last line', async () => {
  const { status, lines } = await gates({ 'gate:one': 'node -e 0', other: 'exit 1', 'gate:two': 'node -e 0' });
  expect(status).toBe(0);
  expect(lines.at(-1)).toBe('2 passed, 0 failed');
});

test('a gate that fails stops none of the others and fails the whole', async () => {
  const { status, lines } = await gates({
    'gate:one': 'node -e "process.exit(3)"',
    'gate:two': 'node -e "console.log(\'two ran\')"',
  });
  expect(status).toBe(1);
  expect(lines).toContain('two ran');
  expect(lines.some((line) => /^FAILED {2}gate:one /.test(line))).toBe(true);
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
});

test('the tests of a vitest gate are counted one by one', async () => {
  const { status, lines } = await gates({ 'gate:unit': 'vitest run' }, { passed: 7, failed: 0, exitCode: 0 });
  expect(status).toBe(0);
  expect(lines.at(-1)).toBe('7 passed, 0 failed, 2 skipped');
});

test('a vitest gate that fails without a failed test counts as a failure', async () => {
  const { status, lines } = await gates({ 'gate:unit': 'vitest run' }, { passed: 7, failed: 0, exitCode: 1 });
  expect(status).toBe(1);
  expect(lines.at(-1)).toBe('7 passed, 1 failed, 2 skipped');
});

test('what failed is said again at the end: the test, or the file that could not be loaded, and why', async () => {
  const failures = [
    { file: 'test/a.test.ts', test: 'adds', message: 'expected 3 to be 4' },
    { file: 'test/b.test.ts', message: 'no such module' },
  ];
  const { lines } = await gates({ 'gate:unit': 'vitest run' }, { passed: 7, failed: 1, exitCode: 1, failures });
  const summary = lines.slice(lines.indexOf('=== summary'));
  expect(summary).toContain('gate:unit: test/a.test.ts > adds: expected 3 to be 4');
  expect(summary).toContain('gate:unit: test/b.test.ts > is not loaded: no such module');
  expect(lines.at(-1)).toBe('7 passed, 1 failed, 2 skipped');
});

test('a group without a gate is a failure', async () => {
  const { status } = await gates({ other: 'node -e 0' });
  expect(status).toBe(1);
});

interface Failure {
  readonly file: string;
  /** Undefined: the file could not be loaded. */
  readonly test?: string;
  readonly message: string;
}

/** Runs the gates of a package whose vitest, where wanted, is a stand-in that reports what it is told to. */
async function gates(
  scripts: Record<string, string>,
  vitest?: { passed: number; failed: number; exitCode: number; failures?: Failure[] },
): Promise<{ status: number | null; lines: string[] }> {
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', scripts }));
  if (vitest !== undefined) {
    const report = {
      numPassedTests: vitest.passed,
      numFailedTests: vitest.failed,
      numPendingTests: 2,
      numTodoTests: 0,
      testResults: (vitest.failures ?? []).map(({ file, test, message }) => ({
        name: join(folder, file),
        status: 'failed',
        message: test === undefined ? message : '',
        assertionResults: test === undefined ? [] : [{ fullName: test, status: 'failed', failureMessages: [message] }],
      })),
    };
    await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
    await writeFile(
      join(folder, 'node_modules/.bin/vitest'),
      `#!/bin/sh\nfor each in "$@"; do case "$each" in --outputFile.json=*) file="\${each#*=}";; esac; done
echo '${JSON.stringify(report)}' > "$file"\nexit ${vitest.exitCode}\n`,
      { mode: 0o755 },
    );
  }
  const { status, stdout } = spawnSync(process.execPath, ['test/gates/run.mjs', 'gate'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, lines: stdout.trimEnd().split('\n') };
}
