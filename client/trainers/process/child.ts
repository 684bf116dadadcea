import { spawn } from 'node:child_process';
import type { Log } from '../../log.ts';
import { createChildLog } from './child-log.ts';
import { AFTERGLOW_MS, endChild } from './end-child.ts';
import { createLineReader } from './line-reader.ts';
import { type Message, type MessageOf, type Request, readMessage } from './messages.ts';
import { ProcessTrainerError } from './process-error.ts';
import { killMarked, signalGroup } from './process-tree.ts';

/** The longest message that a program may say, in bytes. */
const MOST_LINE_BYTES = 1 << 20;

/** All that a program may say to one request, in bytes. */
const MOST_ANSWER_BYTES = 16 << 20;

const OVERLONG = {
  type: 'unreadable',
  why: `the trainer wrote a line of more than ${MOST_LINE_BYTES} bytes to standard output`,
} as const;

/** The longest time that a timer of Node can wait. */
const MOST_TIMER_MS = 2 ** 31 - 1;

/** How to start a program. */
export interface Launch {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** The folder that it runs in. */
  readonly cwd: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** What its descendants carry in their environment. */
  readonly mark: string;
  /** How long it has to end by itself when asked to, in milliseconds; then it is killed. */
  readonly graceMs: number;
}

/** How an answer is waited for. */
export interface Waiting {
  /** The longest wait, in milliseconds. */
  readonly timeoutMs: number;
  /** How long a cancelled request has to be answered, in milliseconds. */
  readonly cancelMs: number;
  /** Cancels the request. */
  readonly signal?: AbortSignal | undefined;
  /** Told how far the program says it is. */
  readonly onProgress?: ((progress: MessageOf<'progress'>) => void) | undefined;
}

/** The last word on a request. */
export type Answer = Exclude<Message, { type: 'progress' }>;

/** A trainer's program at work. It fails once, and for good. */
export interface Child {
  /** Whether it can be asked. */
  readonly isAlive: () => boolean;
  /**
   * Asks, and waits for the answer; one request at a time.
   *
   * @returns what it answers; after the signal, `cancelled` or the answer that was on its way
   * @throws ProcessTrainerError if it fails, which ends it and all that it started
   */
  ask(request: Exclude<Request, { type: 'cancel' }>, waiting: Waiting): Promise<Answer>;
  /** Ends it: closes its input, then asks, then kills it with all that it started. Resolves when they are gone. */
  end(): Promise<void>;
}

interface Pending {
  readonly id: number;
  readonly onProgress: Waiting['onProgress'];
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/**
 * Starts a program, as the leader of a process group of its own and without a shell.
 *
 * @param launch - what to start
 * @param log - where its standard error goes
 */
export function startChild(launch: Launch, log: Log): Child {
  const { command, cwd, environment, graceMs } = launch;
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd, env: { ...environment }, detached: true, stdio: 'pipe' });
  const { stdin, stdout, stderr } = child;
  let failure: ProcessTrainerError | undefined;
  let pending: Pending | undefined;
  let heard = 0;
  let ending: Promise<void> | undefined;

  const fail = (error: ProcessTrainerError, isPolite = false): void => {
    if (failure) return;
    failure = error;
    pending?.reject(error);
    pending = undefined;
    ending = endChild(child, launch.mark, graceMs, isPolite);
  };
  const end = async (): Promise<void> => {
    fail(new ProcessTrainerError('trainer/process-exited', "the trainer's program was told to end"), true);
    await ending;
  };
  const badOutput = (why: string): void => {
    fail(new ProcessTrainerError('trainer/process-bad-output', why));
  };

  const take = (line: string, isCut: boolean): void => {
    if (failure || line.trim() === '') return;
    const message = isCut ? OVERLONG : readMessage(line);
    if (message.type === 'unreadable') {
      badOutput(`${message.why}; the program must print to standard error, which goes to the client's log`);
      return;
    }
    if (!pending || message.id !== pending.id) {
      badOutput('the trainer spoke of a request that is not under way');
      return;
    }
    if (message.type === 'progress') {
      pending.onProgress?.(message);
      return;
    }
    const { resolve } = pending;
    pending = undefined;
    resolve(message);
  };
  const lines = createLineReader(MOST_LINE_BYTES, take);
  stdout.on('data', (chunk: Buffer) => {
    heard += chunk.length;
    if (failure) return;
    lines.push(chunk);
    if (heard > MOST_ANSWER_BYTES) badOutput(`the trainer wrote more than ${MOST_ANSWER_BYTES} bytes to one request`);
  });
  const said = createChildLog(log);
  stderr.on('data', said.push);
  stderr.on('close', said.end);
  // A program that reads no more is noticed by its end or by its silence.
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {});

  const killGroup = (): void => {
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  };
  // Should this process end without ado, the program does too.
  process.once('exit', killGroup);
  child.on('error', (cause) => {
    process.removeListener('exit', killGroup);
    fail(
      new ProcessTrainerError(
        'trainer/process-not-started',
        `the trainer's program cannot be started (${(cause as NodeJS.ErrnoException).code ?? 'unknown'}): check the command and the folder that it runs in`,
        {},
        cause,
      ),
    );
  });
  child.on('exit', (code, signal) => {
    process.removeListener('exit', killGroup);
    // What is left of its group holds its output open, and works for nobody.
    killGroup();
    void killMarked(launch.mark);
    const report = (): void => {
      if (failure) return;
      log.warn({ code, signal }, "the trainer's program has ended");
      fail(
        new ProcessTrainerError(
          'trainer/process-exited',
          `the trainer's program ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}: its log says why`,
          { code, signal },
        ),
      );
    };
    // What it said last may still have to be read.
    if (stdout.closed) {
      report();
      return;
    }
    stdout.once('close', report);
    setTimeout(report, AFTERGLOW_MS).unref();
  });

  return {
    isAlive: () => failure === undefined,
    ask: async (request, { timeoutMs, cancelMs, signal, onProgress }) => {
      if (failure) throw failure;
      heard = 0;
      const answer = new Promise<Answer>((resolve, reject) => {
        pending = { id: request.id, onProgress, resolve, reject };
      });
      const say = (message: Request): void => {
        stdin.write(`${JSON.stringify(message)}\n`);
      };
      const giveUp = (after: number, why: string): NodeJS.Timeout =>
        setTimeout(
          () => {
            const message = `the trainer's program ${why} within ${after / 1000} seconds: it was ended`;
            fail(
              new ProcessTrainerError('trainer/process-timeout', message, { request: request.type, afterMs: after }),
            );
          },
          Math.min(after, MOST_TIMER_MS),
        );
      let timer = giveUp(timeoutMs, `did not answer "${request.type}"`);
      const cancel = (): void => {
        clearTimeout(timer);
        timer = giveUp(cancelMs, `did not stop a cancelled "${request.type}"`);
        say({ type: 'cancel', id: request.id });
      };
      say(request);
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
      try {
        return await answer;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
      }
    },
    end,
  };
}
