import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connectStakes } from '../../contracts/ledger/stakes.ts';
import { connectRpc, quantity, type Rpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { CoordinatorConfig } from '../config/coordinator-config.ts';
import { readCertificate } from '../http/certificate.ts';
import { checkExposure } from '../http/exposure.ts';
import { openJobFolder } from '../job-folder.ts';
import { checkAuditLog } from './audit-log.ts';
import { AUDIT_FILE, readEndpoint } from './endpoint-file.ts';
import { probeFolder } from './readiness.ts';

/** One thing that was looked at. */
export interface Finding {
  /** What it is about. */
  readonly name: string;
  /** `warning` keeps nothing from working today. */
  readonly verdict: 'good' | 'warning' | 'bad';
  /** What was found. */
  readonly message: string;
  /** What to do about it, where it is not good. */
  readonly remedy?: string;
}

/** What a doctor looks with. */
export interface DoctorOptions {
  /** The coordinator's configuration. */
  readonly config: CoordinatorConfig;
  /** Opens the coordinator's wallet. */
  readonly openWallet: () => Promise<Signer>;
  /** Version of Node.js, such as `20.19.0`. */
  readonly nodeVersion: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

type Outcome = Omit<Finding, 'name'>;

const LEAST_NODE = [20, 19] as const;
const LOW_DISK_BYTES = 1e9;
const LEAST_DISK_BYTES = 50e6;
const MOST_SKEW_MS = 120_000;
const ANSWER_LIMIT_MS = 10_000;

/** Looks at everything that a coordinator needs, and says what to do where something is amiss. Changes nothing. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const { config, openWallet, nodeVersion, now } = options;
  const { folder, rpcUrls } = config;
  const findings: Finding[] = [];
  const look = async (name: string, remedy: string, work: () => Promise<Outcome> | Outcome): Promise<boolean> => {
    const outcome = await Promise.resolve()
      .then(work)
      .catch((error: Error): Outcome => ({ verdict: 'bad', message: error.message }));
    const isWell = outcome.verdict === 'good';
    findings.push({ name, ...outcome, ...(isWell ? {} : { remedy: outcome.remedy ?? remedy }) });
    return outcome.verdict !== 'bad';
  };

  await look('node', `install Node.js ${LEAST_NODE.join('.')} or later`, () => checkNode(nodeVersion));
  const hasFolder = await look('folder', `make it with "fedanchor coordinator init --dir ${folder}"`, () =>
    checkFolder(folder),
  );
  if (hasFolder) {
    await look('disk', 'free some space, or move the folder to a larger disk', () => checkDisk(folder));
    await look('audit log', 'keep the file as evidence and move it away; a new one is begun', async () => {
      const { entries } = await checkAuditLog(join(folder, AUDIT_FILE));
      return good(`${entries} entries, each following from the one before`);
    });
  }
  let wallet: Signer | undefined;
  await look('key', 'make one with "fedanchor key create FILE" and name it as keyFile under [wallet]', async () => {
    wallet = await openWallet();
    return good(`the coordinator is ${wallet.address}`);
  });
  if (rpcUrls.length === 0) {
    await look('chain', 'name a node as rpc under [chain] in coordinator.toml', () => bad('no node is named'));
  }
  for (const url of rpcUrls) {
    const rpc = connectRpc({ url, timeoutMs: ANSWER_LIMIT_MS });
    const isThere = await look(`chain at ${rpc.url}`, 'check its address, and whether the node is up', () =>
      checkChain(rpc, config.chainId),
    );
    if (!isThere) continue;
    await look('clock', "set the machine's clock by NTP", () => checkClock(rpc, now()));
    const owner = wallet;
    if (owner) {
      const remedy = `send coins of this chain to ${owner.address}`;
      await look('wallet', remedy, () => checkBalance(rpc, owner, config.lowBalanceWei));
      for (const job of await jobsWithCourt(folder)) {
        await look(`bond of job ${job.name}`, 'post more with "fedanchor stake bond add"', () =>
          checkBond(rpc, owner, job),
        );
      }
    }
  }
  await look('exposure', 'name a certificate under [listen.tls], or set insecurePlaintext behind a proxy', () => {
    checkExposure({
      ...{ host: config.host, isEncrypted: config.tls !== undefined, allowPlaintext: config.insecurePlaintext },
    });
    return good(config.tls ? 'TLS' : `plaintext on ${config.host}`);
  });
  if (config.tls) {
    const { tls } = config;
    await look('certificate', 'name the files of a valid certificate and its key under [listen.tls]', async () => {
      await readCertificate(tls, now());
      return good(`${tls.certFile} and ${tls.keyFile} fit`);
    });
  }
  await look('port', 'choose another port under [listen], or stop the other program', () => checkPort(config));
  return findings;
}

function good(message: string): Outcome {
  return { verdict: 'good', message };
}

function bad(message: string): Outcome {
  return { verdict: 'bad', message };
}

function checkNode(version: string): Outcome {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return (isEnough ? good : bad)(`Node.js ${version}`);
}

async function checkFolder(folder: string): Promise<Outcome> {
  const { mode } = await stat(folder);
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  await probeFolder(folder);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    const message = `${folder} can be written, and others on this machine may look into it (mode ${(mode & 0o777).toString(8)})`;
    return { verdict: 'warning', message, remedy: `chmod 700 ${folder}` };
  }
  return good(`${folder} can be written, by its owner only`);
}

async function checkDisk(folder: string): Promise<Outcome> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const message = `${(free / 1e9).toFixed(1)} GB free`;
  if (free < LEAST_DISK_BYTES) return bad(message);
  return free < LOW_DISK_BYTES ? { verdict: 'warning', message } : good(message);
}

async function checkChain(rpc: Rpc, expected: bigint | undefined): Promise<Outcome> {
  const chainId = BigInt((await rpc.call('eth_chainId', [])) as string);
  if (expected !== undefined && chainId !== expected) {
    const message = `it serves chain ${chainId}, the configuration says ${expected}`;
    return { verdict: 'bad', message, remedy: 'name a node of the right chain, or correct id under [chain]' };
  }
  return good(`chain ${chainId} at block ${quantity(await rpc.call('eth_blockNumber', []))}`);
}

/** A chain's latest block may be old where nothing happens; one from the future says that this machine is behind. */
async function checkClock(rpc: Rpc, nowMs: number): Promise<Outcome> {
  const block = (await rpc.call('eth_getBlockByNumber', ['latest', false])) as { readonly timestamp: string };
  const aheadMs = quantity(block.timestamp) * 1000 - nowMs;
  if (aheadMs > MOST_SKEW_MS) return bad(`this machine is ${Math.round(aheadMs / 1000)} s behind the chain's clock`);
  if (aheadMs >= -MOST_SKEW_MS) return good(`within ${MOST_SKEW_MS / 1000} s of the chain's clock`);
  const message = `the latest block is ${Math.round(-aheadMs / 1000)} s old: the chain is quiet, or this machine's clock is ahead`;
  return { verdict: 'warning', message, remedy: "compare the machine's clock with NTP, and the node with another" };
}

async function checkBalance(rpc: Rpc, { address }: Signer, lowWei: bigint): Promise<Outcome> {
  const wei = BigInt((await rpc.call('eth_getBalance', [address, 'latest'])) as string);
  const message = `${address} holds ${Number(wei) / 1e18} coins`;
  if (wei === 0n) return bad(`${message}: it cannot pay for a transaction`);
  return wei < lowWei ? { verdict: 'warning', message } : good(message);
}

/** A job whose coordinator needs a bond. */
interface BondedJob {
  readonly name: string;
  readonly stakes: Hex;
  readonly needed: bigint;
}

async function jobsWithCourt(folder: string): Promise<BondedJob[]> {
  const names = await readdir(join(folder, 'jobs')).catch(() => []);
  const jobs = await Promise.all(
    names.sort().map((name) => openJobFolder(join(folder, 'jobs', name)).catch(() => undefined)),
  );
  return jobs.flatMap((job) => {
    const { court, name } = job?.terms.manifest ?? {};
    const stakes = job?.contracts.stakes;
    return court && name && stakes ? [{ name, stakes, needed: BigInt(court.coordinatorBond) }] : [];
  });
}

async function checkBond(rpc: Rpc, { address }: Signer, { stakes, needed }: BondedJob): Promise<Outcome> {
  const bond = await (await connectStakes({ rpc, stakes })).bondOf(address);
  const held = bond.exitRequestedAtS === 0 ? bond.amount : 0n;
  const message = `${address} has posted ${held}, ${needed} are needed`;
  return held < needed ? bad(`${message}: no round opens`) : good(message);
}

async function checkPort({ folder, host, port }: CoordinatorConfig): Promise<Outcome> {
  const running = await readEndpoint(folder).catch(() => undefined);
  if (running && isAlive(running.pid)) return good(`the coordinator is running at ${running.url}`);
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port }, () => server.close(() => resolve()));
  });
  return good(port === 0 ? 'any free one' : `${host}:${port} is free`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
