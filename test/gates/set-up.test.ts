import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** Stands for npm: notes that it was called, then does what a variable of the environment asks for. */
const FAKE_NPM = `
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
appendFileSync('calls.log', 'npm ' + process.argv.slice(2, 4).join(' ') + '\\n');
if (process.env.FAKE_NPM === 'fail') { console.error('npm error no network'); process.exit(7); }
mkdirSync('node_modules/typescript/bin', { recursive: true });
writeFileSync('node_modules/typescript/package.json', '{}');
copyFileSync('fake-tsc.cjs', 'node_modules/typescript/bin/tsc');
if (process.env.FAKE_NPM === 'other') writeFileSync('node_modules/.package-lock.json', '{ "packages": {} }');
else copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
`;

/** Stands for the TypeScript compiler: its "program" is whatever fedanchor.ts holds. */
const FAKE_TSC = `
const { appendFileSync, copyFileSync, mkdirSync, readFileSync } = require('node:fs');
appendFileSync('calls.log', 'tsc\\n');
if (readFileSync('fedanchor.ts', 'utf8').includes('SYNTAX ERROR')) { console.error('fedanchor.ts(1,1): no'); process.exit(2); }
const folder = process.argv[process.argv.indexOf('--outDir') + 1];
mkdirSync(folder, { recursive: true });
copyFileSync('fedanchor.ts', folder + '/fedanchor.js');
`;

/** Stands for the contracts' compiler. */
const FAKE_COMPILE = `
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
appendFileSync('calls.log', 'contracts\\n');
mkdirSync('contracts/build', { recursive: true });
writeFileSync('contracts/build/.inputs', 'x');
`;

/** Stands for the kernels' compiler. */
const FAKE_KERNELS = `
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
appendFileSync('calls.log', 'kernels\\n');
for (const folder of ['shared/aggregation', 'simulations/engine', 'simulations/models']) {
  mkdirSync(folder + '/kernels/build', { recursive: true });
  writeFileSync(folder + '/kernels/build/kernels.wasm', 'x');
}
`;

/** A program that tells what it was given, and ends as told. */
const PROGRAM = `
const [what, ...rest] = process.argv.slice(2);
if (what === 'exit') process.exitCode = Number(rest[0]);
if (what === 'wait') {
  process.on('SIGTERM', () => { console.log('asked to stop'); process.exit(5); });
  setInterval(() => {}, 1000);
}
console.log(JSON.stringify({ rest, setupMs: process.env.FEDANCHOR_SETUP_MS }));
if (what === 'die') process.kill(process.pid, 'SIGKILL');
`;

/** What one build calls, sorted. */
const BUILT = ['contracts', 'kernels', 'tsc'];

let folder: string;
let children: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-set-up-'));
  children = [];
  await cp(join(root, 'setup.mjs'), join(folder, 'setup.mjs'));
  await cp(join(root, '.setup'), join(folder, '.setup'), { recursive: true });
  const files: Record<string, string> = {
    'package.json': '{ "name": "fedanchor", "type": "module" }',
    'package-lock.json': JSON.stringify({
      packages: {
        '': {},
        'node_modules/typescript': { version: '6.0.3', integrity: 'sha512-a' },
        'node_modules/typescript-elsewhere': { version: '6.0.3', optional: true },
      },
    }),
    'npm/npm-cli.js': FAKE_NPM,
    'npm/package.json': '{ "type": "module" }',
    'fake-tsc.cjs': FAKE_TSC,
    'contracts/compile.mjs': FAKE_COMPILE,
    'contracts/test/Token.t.sol': 'contract A {}',
    '.setup/compile-kernels.mjs': FAKE_KERNELS,
    'client/log.ts': 'export {};',
    'coordinator/log.ts': 'export {};',
    'shared/log.ts': 'export {};',
    'simulations/log.ts': 'export {};',
    'tsconfig.json': '{}',
    'tsconfig.build.json': '{}',
    'fedanchor.ts': PROGRAM,
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

test('a fresh clone is installed and built before the program runs', async () => {
  const { code, stdout, stderr } = await fedanchor(['exit', '0', '--json', 'a b']);
  expect(code).toBe(0);
  const said = JSON.parse(stdout) as { rest: string[]; setupMs: string };
  expect(said.rest).toEqual(['0', '--json', 'a b']);
  expect(Number(said.setupMs)).toBeGreaterThan(0);
  expect(stderr).toContain('set-up: installing');
  expect(calls()).toEqual(['npm install --no-save', ...BUILT]);
});

test('a second run does nothing but run', async () => {
  await fedanchor(['exit', '0']);
  const { stderr } = await fedanchor(['exit', '0']);
  expect(stderr).toBe('');
  expect(calls()).toHaveLength(4);
});

test('sources are built again when their content has changed, and only then', async () => {
  await fedanchor(['exit', '0']);
  utimesSync(join(folder, 'client/log.ts'), new Date(0), new Date(0));
  writeFileSync(join(folder, 'contracts/test/Token.t.sol'), 'contract B {}');
  await fedanchor(['exit', '0']);
  expect(calls()).toHaveLength(4);

  writeFileSync(join(folder, 'client/log.ts'), 'export const a = 1;');
  await fedanchor(['exit', '0']);
  expect(calls().slice(4)).toEqual(BUILT);

  rmSync(join(folder, 'contracts/build'), { recursive: true });
  await fedanchor(['exit', '0']);
  expect(calls().slice(7)).toEqual(BUILT);
});

test('packages are installed again when the lock file names others', async () => {
  await fedanchor(['exit', '0']);
  const lock = join(folder, 'package-lock.json');
  writeFileSync(lock, readFileSync(lock, 'utf8').replace('"6.0.3","integrity"', '"6.0.4","integrity"'));
  const { stderr } = await fedanchor(['exit', '0']);
  expect(stderr).toContain('typescript 6.0.4 is not installed');
  expect(calls().slice(4)).toEqual(['npm install --no-save', ...BUILT]);
});

test('a failed install says so last, and nothing is run', async () => {
  const { code, stdout, stderr } = await fedanchor(['exit', '0'], { FAKE_NPM: 'fail' });
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/npm error no network\nset-up: the packages could not be installed: .*\(exit code 7\)\n$/);
});

test('an install of something else than the lock file names is refused', async () => {
  const { code, stderr } = await fedanchor(['exit', '0'], { FAKE_NPM: 'other' });
  expect(code).toBe(1);
  expect(stderr).toContain('npm did not install what package-lock.json names: typescript 6.0.3 is not installed');
});

test('a failed build leaves the last good one in its place and is tried again', async () => {
  await fedanchor(['exit', '0']);
  appendFileSync(join(folder, 'fedanchor.ts'), '// SYNTAX ERROR');
  const { code, stderr } = await fedanchor(['exit', '0']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/fedanchor\.ts\(1,1\): no\nset-up: the build failed: [^\n]*\n$/);
  expect(existsSync(join(folder, 'dist/fedanchor.js'))).toBe(true);
  writeFileSync(join(folder, 'fedanchor.ts'), `${PROGRAM}// right`);
  expect((await fedanchor(['exit', '0'])).code).toBe(0);
});

test('several at once set up once', async () => {
  const runs = await Promise.all([1, 2, 3, 4].map((code) => fedanchor(['exit', String(code)])));
  expect(runs.map(({ code }) => code)).toEqual([1, 2, 3, 4]);
  expect(calls()).toEqual(['npm install --no-save', ...BUILT]);
  expect(existsSync(join(folder, '.setup.lock'))).toBe(false);
});

test('the lock of a process that is gone is taken over by one of those who wait', async () => {
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  writeFileSync(join(folder, '.setup.lock'), String(gone.pid));
  const runs = await Promise.all([0, 0, 0].map((code) => fedanchor(['exit', String(code)])));
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(calls()).toHaveLength(4);
});

test("the program's exit code and signal are passed on", async () => {
  expect((await fedanchor(['exit', '42'])).code).toBe(42);
  expect((await fedanchor(['die'])).signal).toBe('SIGKILL');
});

test('a request to stop reaches the program', async () => {
  await fedanchor(['exit', '0']);
  const child = start(['wait']);
  const output = collect(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.kill('SIGTERM');
  const { code, stdout } = await output;
  expect(code).toBe(5);
  expect(stdout).toContain('asked to stop');
});

test('the program is asked to stop when the shell that npm put in between is gone', async () => {
  await fedanchor(['exit', '0']);
  const line = `${process.execPath} setup.mjs dist/fedanchor.js wait; true`;
  const shell = spawn('/bin/sh', ['-c', line], { cwd: folder, env: { ...process.env, npm_lifecycle_event: 'start' } });
  children.push(shell);
  const output = collect(shell);
  await once(shell.stdout, 'data');
  shell.kill('SIGTERM');
  // The output ends when the last process that writes to it does.
  expect((await output).stdout).toContain('asked to stop');
});

test('an older Node is refused in one sentence', async () => {
  await writeFile(
    join(folder, 'older.mjs'),
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.18.3' } });",
  );
  const child = spawn(process.execPath, ['--import', './older.mjs', 'setup.mjs'], { cwd: folder });
  const { code, stderr } = await collect(child);
  expect(code).toBe(1);
  expect(stderr).toBe('fedanchor needs Node 20.19 or newer, and this is Node 20.18.3.\n');
});

function fedanchor(parameters: string[], environment: Record<string, string> = {}): Promise<Ended> {
  return collect(start(parameters, environment));
}

function start(parameters: string[], environment: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, ['setup.mjs', 'dist/fedanchor.js', ...parameters], {
    cwd: folder,
    env: { ...process.env, npm_execpath: join(folder, 'npm/npm-cli.js'), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function collect(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}

/** What was called so far, the two compilers of a build in one order: they run side by side. */
function calls(): string[] {
  const lines = readFileSync(join(folder, 'calls.log'), 'utf8').trim().split('\n');
  const sorted: string[] = [];
  // The three compilers of one build start in no order.
  while (lines.length > 0) sorted.push(...lines.splice(0, lines[0]?.startsWith('npm') ? 1 : BUILT.length).sort());
  return sorted;
}
