import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { ProcessTrainerError } from './process-error.ts';
import type { SandboxKind } from './process-settings.ts';

/** What a program in a sandbox may see. */
export interface SandboxView {
  /** The private folder, which it may write to. */
  readonly folder: string;
  /** The folder that it runs in, read-only. */
  readonly cwd: string;
  /** Folders that it may read although they lie in the user's home or among temporary files, such as its data. */
  readonly readable: readonly string[];
  /** Files and folders that it must not see, such as the client's key and state. */
  readonly hidden: readonly string[];
  /** The user's home, which is empty in the sandbox but for what is above. */
  readonly home: string | undefined;
}

/** Devices of GPUs: those of NVIDIA, AMD's compute interface, and the kernel's own for all vendors. */
const GPU_DEVICES = /^(nvidia.*|kfd|dri)$/;

/**
 * The arguments of bubblewrap for a view: the whole file system read-only, empty folders in place of home and temporary
 * files, no network, processes of its own that end with it, and GPUs.
 *
 * @param view - what the program may see
 * @param kindOf - what there is at a path; bubblewrap refuses to cover what is not there
 * @param devices - names in `/dev`
 */
export function bwrapArguments(
  { folder, cwd, readable, hidden, home }: SandboxView,
  kindOf: (path: string) => 'file' | 'folder' | 'nothing',
  devices: readonly string[],
): string[] {
  const empty = ['/tmp', '/var/tmp', ...(home === undefined || home === '/' ? [] : [home])];
  const gpus = devices.filter((name) => GPU_DEVICES.test(name)).map((name) => `/dev/${name}`);
  const hide = (path: string): string[] => {
    const kind = kindOf(path);
    if (kind === 'nothing') return [];
    return kind === 'folder' ? ['--tmpfs', path] : ['--ro-bind', '/dev/null', path];
  };
  return [
    ...['--die-with-parent', '--unshare-all'],
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
    ...gpus.flatMap((path) => ['--dev-bind', path, path]),
    ...empty.flatMap(hide),
    // Each of these covers what was bound above it.
    ...[cwd, ...readable].flatMap((path) => ['--ro-bind', path, path]),
    ...hidden.flatMap(hide),
    ...['--bind', folder, folder, '--chdir', cwd],
  ];
}

function kindOnDisk(path: string): 'file' | 'folder' | 'nothing' {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return 'nothing';
  return found.isDirectory() ? 'folder' : 'file';
}

/**
 * Puts a command into a sandbox.
 *
 * @param command - program and arguments
 * @returns the command that starts it there
 * @throws ProcessTrainerError `trainer/process-sandbox-unavailable` if bubblewrap is not installed or may not be used here
 */
export async function sandboxed(
  command: readonly [string, ...string[]],
  kind: SandboxKind,
  view: SandboxView,
): Promise<[string, ...string[]]> {
  if (kind === 'none') return [...command];
  const devices = await readdir('/dev').catch(() => []);
  const rules = bwrapArguments(view, kindOnDisk, devices);
  await tryOut(rules);
  return ['bwrap', ...rules, '--', ...command];
}

/** A sandbox that cannot be made is told apart from a program that fails in it. */
async function tryOut(rules: readonly string[]): Promise<void> {
  const trial = spawn('bwrap', [...rules, '--', 'true'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  trial.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(0, 500);
  });
  const why = await once(trial, 'close').then(
    ([code]) => (code === 0 ? undefined : said.trim()),
    (cause: Error) => cause.message,
  );
  if (why === undefined) return;
  throw new ProcessTrainerError(
    'trainer/process-sandbox-unavailable',
    'the sandbox for the trainer\'s program cannot be made: install bubblewrap and allow user namespaces, or choose the sandbox "none"',
    { why },
  );
}
