import { spawn } from 'node:child_process';
import { isatty } from 'node:tty';

/**
 * Runs a Node script as this process's stand-in: it gets the terminal, the signals, and its end becomes this one's.
 *
 * @param {readonly string[]} parameters the script and its arguments
 * @param {number} setupMs what the set-up took, handed on as FEDANCHOR_SETUP_MS
 */
export function launch(parameters, setupMs) {
  const child = spawn(process.execPath, parameters, {
    stdio: 'inherit',
    env: { ...process.env, FEDANCHOR_SETUP_MS: String(setupMs) },
  });

  // A terminal sends Ctrl-C to the child as well. Handing it on would make it two, and two mean "at once".
  const fromTerminal = [0, 1, 2].some((stream) => isatty(stream));
  /** @type {[NodeJS.Signals, () => void][]} */
  const handlers = [];
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    const handler = () => {
      if (signal !== 'SIGINT' || !fromTerminal) child.kill(signal);
    };
    handlers.push([signal, handler]);
    process.on(signal, handler);
  }

  const watch = underNpm() ? stopWithParent(child) : undefined;

  child.on('error', (error) => {
    process.stderr.write(`set-up: ${parameters[0]} cannot be run: ${error.message}\n`);
    clearInterval(watch);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    clearInterval(watch);
    for (const [name, handler] of handlers) process.off(name, handler);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}

function underNpm() {
  return process.env['npm_lifecycle_event'] !== undefined;
}

/**
 * Asks a process to stop when this one's parent is gone: npm hands SIGTERM to the shell between itself and this process,
 * and that shell ends without telling anyone.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
function stopWithParent(child) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 500);
  return watch;
}
