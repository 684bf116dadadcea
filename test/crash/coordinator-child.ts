import { createWallet } from '../../contracts/wallet.ts';
import { startCoordinator } from '../../coordinator/coordinator.ts';
import type { Hex } from '../../shared/bytes.ts';
import { makeDiskFaulty } from './faulty-disk.ts';

// The coordinator under test, a process of its own: it is run on faulty ports, and stops in order when its input ends.

/** What the parent passes as the one argument, in JSON. */
export interface CoordinatorArguments {
  /** The coordinator's folder. */
  readonly folder: string;
  /** Node of the chain. */
  readonly rpcUrl: string;
  /** Its private key. */
  readonly key: Hex;
  /** Port to listen on. */
  readonly port: number;
}

makeDiskFaulty();
const { folder, rpcUrl, key, port } = JSON.parse(process.argv[2] as string) as CoordinatorArguments;
const tell = (fields: Readonly<Record<string, unknown>>, message: string): void => {
  process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
};
await using _coordinator = await startCoordinator({
  ...{ folder, rpcUrl, port, host: '127.0.0.1', operators: [] },
  signer: createWallet(key),
  log: { info: tell, warn: tell, error: tell },
});
process.stdout.write('listening\n');
for await (const _ of process.stdin);
