import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import { GUARD_PROGRAM } from './embedded-chain-guard.ts';
import { findFoundryBinary, foundryPackage } from './foundry-binary.ts';
import { connectRpc, type Rpc, toQuantity } from './rpc.ts';

/** Thrown when the embedded chain cannot be had. */
export class EmbeddedChainError extends FedanchorError<
  'chain/unsupported-platform' | 'chain/port-taken' | 'chain/not-started'
> {}

/** How to start the embedded chain. */
export interface EmbeddedChainOptions {
  /** File that keeps the chain: loaded if it exists, written every second and on stop. Its folder is created. */
  readonly stateFile: string;
  /** TCP port on the loopback interface; 0, the default, takes a free one. */
  readonly port?: number;
  /** File that receives the node's output; default none. */
  readonly logFile?: string;
  /** EIP-155 chain id; default 31337. */
  readonly chainId?: number;
  /** Longest wait for the first answer; default 30 s. */
  readonly startTimeoutMs?: number;
}

/** A chain of its own, run by a child process; each transaction is mined at once into a block of its own. */
export interface EmbeddedChain {
  /** Address for JSON-RPC. */
  readonly rpcUrl: string;
  /** TCP port on the loopback interface. */
  readonly port: number;
  /** Resolves with the exit code when the child has ended, for whatever reason. */
  readonly exited: Promise<number | null>;
  /** Moves the chain's clock on and mines a block. */
  increaseTime(seconds: number): Promise<void>;
  /** Sets an account's balance in wei. */
  fund(address: Hex, wei: bigint): Promise<void>;
  /** Writes the state and ends the child; resolves when it has ended. May be repeated. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded chain (anvil, whose binary comes in its npm package) and waits until it answers.
 *
 * @throws EmbeddedChainError `chain/unsupported-platform`, `chain/port-taken`, `chain/not-started`
 */
export async function startEmbeddedChain(options: EmbeddedChainOptions): Promise<EmbeddedChain> {
  const { stateFile, port: wanted = 0, chainId = 31337, logFile, startTimeoutMs = 30_000 } = options;
  const binary = findFoundryBinary('anvil');
  if (binary === undefined) {
    const name = foundryPackage('anvil', process.platform, process.arch);
    throw new EmbeddedChainError(
      'chain/unsupported-platform',
      `the embedded chain needs the npm package ${name}, which is not installed or does not exist for this platform: name a chain with --rpc`,
      { package: name, platform: process.platform, architecture: process.arch },
    );
  }
  const port = await reservePort(wanted);
  // Into a folder that is missing the node would save nothing, without a word.
  mkdirSync(dirname(stateFile), { recursive: true });
  const settings = ['--silent', '--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId)];
  const rules = ['--hardfork', 'osaka', '--accounts', '0', '--state', stateFile, '--state-interval', '1'];
  const output = logFile === undefined ? 'ignore' : openSync(logFile, 'a');
  const child = spawn(process.execPath, ['-e', GUARD_PROGRAM, binary, ...settings, ...rules], {
    stdio: ['pipe', output, output],
    detached: true,
  });
  if (typeof output === 'number') closeSync(output);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve).once('error', () => resolve(null));
  });
  const rpcUrl = `http://127.0.0.1:${port}`;
  const rpc = connectRpc({ url: rpcUrl });
  await whenReady(rpc, child, exited, chainId, startTimeoutMs);
  return {
    rpcUrl,
    port,
    exited,
    async increaseTime(seconds) {
      await rpc.call('evm_increaseTime', [seconds]);
      await rpc.call('evm_mine', []);
    },
    async fund(address, wei) {
      await rpc.call('anvil_setBalance', [address, toQuantity(wei)]);
    },
    async stop() {
      child.stdin?.end();
      await exited;
    },
  };
}

async function whenReady(
  rpc: Rpc,
  child: ChildProcess,
  exited: Promise<number | null>,
  chainId: number,
  timeoutMs: number,
): Promise<void> {
  let running = true;
  void exited.then(() => {
    running = false;
  });
  for (let waitedMs = 0; running && waitedMs < timeoutMs; waitedMs += 25) {
    const answer = await rpc.call('eth_chainId', []).catch(() => undefined);
    if (answer === toQuantity(chainId)) return;
    await delay(25);
  }
  child.stdin?.end();
  throw new EmbeddedChainError(
    'chain/not-started',
    running
      ? `the embedded chain did not answer within ${timeoutMs} ms: try again, or name a chain with --rpc`
      : 'the embedded chain ended at once: its state file may be damaged; give a log file to see why',
    { exitCode: child.exitCode },
  );
}

/** Finds out that a port can be listened on, before a child that would only say so in its log. */
function reservePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause) => {
      reject(
        new EmbeddedChainError(
          'chain/port-taken',
          `port ${wanted} for the embedded chain cannot be listened on: choose another one, or 0 for any free one`,
          { port: wanted },
          cause,
        ),
      );
    });
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : wanted));
    });
  });
}
