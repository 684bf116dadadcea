import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a process of the federation cannot be kept running. */
export class ProcessError extends FedanchorError<'process/gave-up' | 'process/failed'> {}

/** One party to run as an operating-system process of its own. */
export interface ProcessSpec {
  /** Name on the screen and of its log file. */
  readonly name: string;
  /** Arguments after `fedanchor`, asked for at every start. */
  readonly args: () => readonly string[];
  /** File that takes what it writes to stderr. */
  readonly logFile: string;
  /** Called with every line it writes to stdout. */
  readonly onLine?: (line: string) => void;
  /** Called with every line it writes to stderr, which goes to its log all the same. */
  readonly onErrorLine?: (line: string) => void;
  /** How often it is started again after it died, before giving up. */
  readonly restarts: number;
  /** Gives up at once if it dies before it has written a line: it never came to work. */
  readonly restartsOnlyAfterOutput?: boolean;
}

/** A process that is run once. */
export type ProcessCommand = Omit<ProcessSpec, 'restarts' | 'restartsOnlyAfterOutput'>;

/** A process that is looked after. */
export interface SupervisedProcess {
  /** Resolves with the exit code when it has ended on its own with 0, or rejects when it is given up. */
  readonly finished: Promise<void>;
}

/** Processes that live and end together. */
export interface ProcessGroup {
  /** Starts a process and starts it again if it dies. */
  supervise(spec: ProcessSpec): SupervisedProcess;
  /**
   * Runs a process to its end.
   *
   * @returns its exit code
   */
  run(spec: ProcessCommand): Promise<number>;
  /** Asks all to stop and waits until they have; who does not within the limit is killed. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How long a process may take to stop. */
const STOP_LIMIT_MS = 10_000;

/**
 * Creates a group. Its processes hold an IPC channel to this one and stop when it closes, so that they cannot outlive
 * their parent however it ends.
 *
 * @param entry - the command line's own module
 * @param onRestart - told when a process died and is started again
 */
export function createProcessGroup(entry: string, onRestart: (name: string, cause: string) => void): ProcessGroup {
  const alive = new Set<ChildProcess>();
  let stopping = false;

  const start = ({ args, logFile, onLine, onErrorLine }: ProcessCommand): ChildProcess => {
    const child = spawn(process.execPath, [entry, ...args()], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    child.stderr?.pipe(createWriteStream(logFile, { flags: 'a' }));
    if (child.stdout) createInterface({ input: child.stdout }).on('line', onLine ?? (() => {}));
    if (child.stderr && onErrorLine) createInterface({ input: child.stderr }).on('line', onErrorLine);
    return child;
  };

  return {
    supervise: (spec) => {
      let worked = false;
      const onLine = (line: string): void => {
        worked = true;
        spec.onLine?.(line);
      };
      const finished = (async () => {
        for (let starts = 0; ; starts++) {
          const [code, signal] = (await once(start({ ...spec, onLine }), 'exit')) as [
            number | null,
            NodeJS.Signals | null,
          ];
          if (code === 0 || stopping) return;
          const cause = signal ?? `exit code ${code}`;
          if (starts === spec.restarts || (spec.restartsOnlyAfterOutput && !worked)) {
            const words = await lastLine(spec.logFile);
            throw new ProcessError('process/gave-up', `${spec.name} ended with ${cause}: ${words}`, {
              logFile: spec.logFile,
            });
          }
          onRestart(spec.name, cause);
        }
      })();
      // Whoever waits sees the failure; until then it must not end the whole program.
      finished.catch(() => {});
      return { finished };
    },
    run: async (spec) => {
      // 'close' comes after the last line, 'exit' may come before it.
      const [code] = (await once(start(spec), 'close')) as [number | null];
      return code ?? 1;
    },
    [Symbol.asyncDispose]: async () => {
      stopping = true;
      const ends = [...alive].map((child) => once(child, 'exit'));
      for (const child of alive) child.kill('SIGTERM');
      const limit = setTimeout(() => {
        for (const child of alive) child.kill('SIGKILL');
      }, STOP_LIMIT_MS);
      await Promise.all(ends);
      clearTimeout(limit);
    },
  };
}

/** What a process said last: for people, the reason it ended. */
async function lastLine(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return (
    text
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^fedanchor: /, '') || `its log ${file} is empty`
  );
}
