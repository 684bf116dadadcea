import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signer } from '../../contracts/wallet.ts';
import { bad, good, type Outcome, warning } from './finding.ts';
import type { Ward } from './ward.ts';

/** What of the machine is looked at. */
export interface MachineOptions {
  /** The client's state folder. */
  readonly state: string;
  /** File with its key; undefined where the environment has it. */
  readonly keyFile: string | undefined;
  /** Opens the wallet. */
  readonly openWallet: () => Promise<Signer>;
  /** Version of Node.js, such as `20.19.0`. */
  readonly nodeVersion: string;
}

const LEAST_NODE = [20, 19] as const;
const LOW_DISK_BYTES = 1e9;
const LEAST_DISK_BYTES = 50e6;

/**
 * Looks at the machine that a client runs on: Node.js, its key, its state folder.
 *
 * @returns the wallet, where it opens
 */
export async function lookAtMachine(ward: Ward, options: MachineOptions): Promise<Signer | undefined> {
  const { state, keyFile, openWallet, nodeVersion } = options;
  await ward.look('node', `install Node.js ${LEAST_NODE.join('.')} or later`, () => [checkNode(nodeVersion)]);
  const wallet = await ward.look<Signer>(
    'key',
    'make one with "fedanchor client init", or name yours as keyFile',
    async () => {
      const signer = await openWallet();
      return [await checkKeyFile(keyFile, signer), signer];
    },
  );
  const isThere = await ward.look<true>('state', 'name a folder on a disk of your own as state', async () => [
    await checkState(state),
    true,
  ]);
  if (isThere) {
    await ward.look('disk', 'free some space, or move the state folder to a larger disk', async () => [
      await checkDisk(state),
    ]);
  }
  return wallet;
}

function checkNode(version: string): Outcome {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return (isEnough ? good : bad)(`Node.js ${version}`);
}

/** A keystore opens for whoever knows its password; that others may copy it and guess is worth a word. */
async function checkKeyFile(keyFile: string | undefined, { address }: Signer): Promise<Outcome> {
  const message = `you are ${address}`;
  if (keyFile === undefined || process.platform === 'win32') return good(message);
  const { mode } = await stat(keyFile);
  if ((mode & 0o077) === 0) return good(message);
  const found = `${message}; others on this machine may read ${keyFile} (mode ${(mode & 0o777).toString(8)})`;
  return warning(found, `chmod 600 ${keyFile}`);
}

async function checkState(state: string): Promise<Outcome> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  const file = join(state, `.probe-${randomUUID()}`);
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      // A full disk takes an empty file.
      await handle.write(Buffer.alloc(4096));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await rm(file, { force: true });
  }
  const { mode } = await stat(state);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    const message = `${state} can be written, and others on this machine may look into it (mode ${(mode & 0o777).toString(8)})`;
    return warning(message, `chmod 700 ${state}`);
  }
  return good(`${state} can be written, by its owner only`);
}

async function checkDisk(folder: string): Promise<Outcome> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const message = `${(free / 1e9).toFixed(1)} GB free`;
  if (free < LEAST_DISK_BYTES) return bad(message);
  return (free < LOW_DISK_BYTES ? warning : good)(message);
}
