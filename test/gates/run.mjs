// Runs the scripts of package.json whose names start with "<group>:", one after the other, whatever the outcome of
// each, and sums up: node test/gates/run.mjs <group>
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */
/** @typedef {{ name: string, ok: boolean, seconds: number, count: Count, failures: string[], shaky: string[] }} Outcome */

const group = process.argv[2] ?? '';
const root = join(import.meta.dirname, '..', '..');
/** @type {Record<string, string>} */
const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts;
const reports = mkdtempSync(join(tmpdir(), 'fedanchor-gates-'));
process.on('exit', () => rmSync(reports, { recursive: true, force: true }));

/** @type {Outcome[]} */
const outcomes = [];
for (const [name, command] of Object.entries(scripts)) {
  if (name.startsWith(`${group}:`)) outcomes.push(await run(name, command));
}
sumUp();

/**
 * @param {string} name
 * @param {string} command
 * @returns {Promise<Outcome>}
 */
async function run(name, command) {
  console.log(`\n=== ${name}: ${command}\n`);
  const start = performance.now();
  const report = join(reports, `${name.replace(':', '-')}.json`);
  const counting = command.startsWith('vitest ')
    ? ` --reporter=default --reporter=json --outputFile.json="${report}"`
    : '';
  const code = await spawned(`${command}${counting}`);
  const seconds = (performance.now() - start) / 1_000;
  const [failures, shaky] = [readFailures(report), readShaky(report)];
  return { name, ok: code === 0, seconds, count: countTests(report, code === 0), failures, shaky };
}

/**
 * Runs a command line as npm would: in a shell, with the packages' programs on the path.
 *
 * @param {string} line
 * @returns {Promise<number>} its exit code
 */
function spawned(line) {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(line, { cwd: root, shell: true, stdio: 'inherit', env: { ...process.env, PATH: path } });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/**
 * Counts what a vitest report tells; a gate without one counts as one test. A gate that failed counts at least one
 * failure, so that a test file that could not even be loaded is not overlooked.
 *
 * @param {string} report
 * @param {boolean} ok
 * @returns {Count}
 */
function countTests(report, ok) {
  if (!existsSync(report)) return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
  return {
    passed: numPassedTests,
    failed: ok ? numFailedTests : Math.max(1, numFailedTests),
    skipped: numPendingTests + numTodoTests,
  };
}

/**
 * Reads which tests failed, and why, from a vitest report, so that the end of a log says it, however much of its middle
 * is lost.
 *
 * @param {string} report
 * @returns {string[]} "file > test: the message's first lines"
 */
function readFailures(report) {
  if (!existsSync(report)) return [];
  /** @type {{ name: string, status: string, message: string, assertionResults: { fullName: string, status: string, failureMessages: string[] }[] }[]} */
  const files = JSON.parse(readFileSync(report, 'utf8')).testResults;
  return files.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    const unloaded =
      status === 'failed' && failed.length === 0 ? [{ fullName: 'is not loaded', failureMessages: [message] }] : [];
    return [...failed, ...unloaded].map(
      ({ fullName, failureMessages }) =>
        `${relative(root, name)} > ${fullName}: ${excerpt(failureMessages.join('\n'))}`,
    );
  });
}

/**
 * Reads which tests failed once and passed when they were run again, and why they failed.
 *
 * @param {string} report
 * @returns {string[]} as {@link readFailures}
 */
function readShaky(report) {
  if (!existsSync(report)) return [];
  /** @type {{ name: string, assertionResults: { fullName: string, status: string, failureMessages: string[] }[] }[]} */
  const files = JSON.parse(readFileSync(report, 'utf8')).testResults;
  return files.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status, failureMessages }) => status === 'passed' && failureMessages.length > 0)
      .map(
        ({ fullName, failureMessages }) =>
          `${relative(root, name)} > ${fullName}: ${excerpt(failureMessages.join('\n'))}`,
      ),
  );
}

/** @param {string} message */
function excerpt(message) {
  return message.split('\n').slice(0, 8).join('\n    ').slice(0, 1_200);
}

function sumUp() {
  console.log('\n=== summary\n');
  const width = Math.max(0, ...outcomes.map(({ name }) => name.length));
  /** @type {Count} */
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, ok, seconds, count } of outcomes) {
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(width)}  ${seconds.toFixed(1).padStart(6)} s`);
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
  }
  for (const { name, failures, shaky } of outcomes) {
    for (const test of shaky) console.log(`\n${name}, passed the second time: ${test}`);
    for (const failure of failures) console.log(`\n${name}: ${failure}`);
  }
  const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`;
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}
