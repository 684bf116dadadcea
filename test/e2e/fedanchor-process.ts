import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The built command line, as its users run it. */
const ENTRY = fileURLToPath(new URL('../../dist/fedanchor.js', import.meta.url));

/** What a finished command left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command in progress. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves once standard output holds the text. */
  seen(text: string): Promise<void>;
  /** Standard output so far. */
  said(): string;
  readonly finished: Promise<Finished>;
}

/** Starts `fedanchor …` as a process of its own. */
export function start(args: readonly string[], cwd?: string): Running {
  const child = spawn(process.execPath, [ENTRY, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...(cwd && { cwd }) });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    child.emit('progress');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return {
    child,
    finished,
    said: () => stdout,
    seen: async (text) => {
      while (!stdout.includes(text)) {
        const event = await Promise.race([once(child, 'progress'), finished]);
        if ('code' in event && !stdout.includes(text)) throw new Error(`never said "${text}": ${stdout}\n${stderr}`);
      }
    },
  };
}

/** Runs `fedanchor …` to its end. */
export function run(args: readonly string[], cwd?: string): Promise<Finished> {
  return start(args, cwd).finished;
}
