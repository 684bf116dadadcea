import { resolve } from 'node:path';
import type { Launch } from './child.ts';
import { childEnvironment } from './child-environment.ts';
import type { ProcessSettings } from './process-settings.ts';
import { sandboxed } from './sandbox.ts';

/** What a launch is made from. */
export interface LaunchOptions extends Omit<ProcessSettings, 'command' | 'timeouts'> {
  /** Files and folders with the client's data. */
  readonly data: readonly string[];
  /** The client's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Works out how a program is started: its environment, and the sandbox around it.
 *
 * @param command - program and arguments
 * @param folder - its private folder and the mark of what works in it
 * @param graceMs - how long it has to end by itself when asked to
 * @throws ProcessTrainerError `trainer/process-bad-environment`, `trainer/process-sandbox-unavailable`
 */
export async function prepareLaunch(
  options: LaunchOptions,
  command: [string, ...string[]],
  { path, mark }: { readonly path: string; readonly mark: string },
  graceMs: number,
): Promise<Launch> {
  const { environmentNames = [], sandbox = 'none', readable = [], hidden = [], data } = options;
  const cwd = resolve(options.cwd ?? '.');
  const environment = childEnvironment(options.environment, environmentNames, path, mark);
  const view = {
    folder: path,
    cwd,
    readable: [...data, ...readable].map((each) => resolve(each)),
    hidden: hidden.map((each) => resolve(each)),
    home: environment['HOME'],
  };
  return { command: await sandboxed(command, sandbox, view), cwd, environment, mark, graceMs };
}
