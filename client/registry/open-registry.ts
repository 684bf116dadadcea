import { readDeployment } from '../../contracts/deploy/deployment-file.ts';
import { connectRegistry, type Registry } from '../../contracts/ledger/registry.ts';
import { createRegistryWriter, type RegistryWriter } from '../../contracts/ledger/registry-writer.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { connectRpc, type Rpc } from '../../contracts/rpc.ts';
import { loadWallet } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { RegistryError } from './registry-error.ts';

/** Where a Registry is. */
export interface RegistryPlace {
  /** Its address. */
  readonly registry: Hex;
  /** First block that may hold an entry. */
  readonly fromBlock: number;
}

/** How a command says where it is. */
export interface PlaceOptions {
  /** Its address. */
  readonly registry?: Hex | undefined;
  /** File with the deployment that it belongs to. */
  readonly deployment?: string | undefined;
  /** First block that may hold an entry; default the deployment's, else 0. */
  readonly fromBlock?: number | undefined;
}

/**
 * Finds a Registry by its address or the file of its deployment.
 *
 * @throws RegistryError `registry/no-registry`; DeployError `deploy/no-deployment`
 */
export async function placeOf(options: PlaceOptions): Promise<RegistryPlace> {
  const { registry, deployment, fromBlock } = options;
  if (registry !== undefined) return { registry, fromBlock: fromBlock ?? 0 };
  const entry = deployment === undefined ? undefined : (await readDeployment(deployment)).contracts['Registry'];
  if (entry !== undefined) return { registry: entry.address, fromBlock: fromBlock ?? entry.blockNumber ?? 0 };
  const message =
    deployment === undefined
      ? 'no registry is named: give --registry, or --deployment with the file that "fedanchor deploy" wrote'
      : `${deployment} names no Registry: let "fedanchor deploy" write it`;
  throw new RegistryError('registry/no-registry', message);
}

/** A Registry that a wallet writes to. */
export interface OpenRegistry {
  /** The chain. */
  readonly rpc: Rpc;
  /** The read side. */
  readonly registry: Registry;
  /** The write side. */
  readonly writer: RegistryWriter;
  /** The wallet's address. */
  readonly account: Hex;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Does some work on a Registry with a wallet; what it has opened ends with it, or when the process is asked to stop.
 *
 * @throws what the work throws; WalletError; LedgerError; OutboxError
 */
export async function withRegistry<T>(
  options: PlaceOptions & { readonly rpc: readonly string[]; readonly keyFile?: string },
  work: (open: OpenRegistry) => Promise<T>,
): Promise<T> {
  const { registry: address } = await placeOf(options);
  const { keyFile } = options;
  const wallet = await loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const stop = () => lifetime.abort();
  for (const name of STOP_SIGNALS) process.once(name, stop);
  const rpc = connectRpc({ urls: options.rpc, signal });
  try {
    const registry = await connectRegistry({ rpc, registry: address });
    const store = createMemoryOutboxStore();
    const outbox = await createOutbox({ rpc, wallet, store, signal, whenEmpty: 'throw' });
    return await work({ rpc, registry, account: wallet.address, writer: createRegistryWriter(outbox, registry, rpc) });
  } finally {
    lifetime.abort();
    for (const name of STOP_SIGNALS) process.removeListener(name, stop);
  }
}
