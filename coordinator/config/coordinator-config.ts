import { access } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import { DEFAULT_LIMITS, type NetworkLimits } from '../limits/network-limits.ts';
import { readConfigFile } from './toml-file.ts';

/** Name of the configuration in the coordinator's folder. */
export const CONFIG_FILE = 'coordinator.toml';

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address: 0x and 40 hexadecimal digits')
  .transform((text) => text.toLowerCase() as Hex);
const webAddress = z.url({ protocol: /^https?$/, error: 'expected an address such as https://node.example' });
const path = z.string().min(1, 'expected the path of a file');

/** Any of the network's limits by its name; what is left out keeps its default. */
const limitsSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(DEFAULT_LIMITS).map(([name, value]) => [
      name,
      (typeof value === 'number'
        ? z.number().positive()
        : z.strictObject({ perSecond: z.number().positive(), burst: z.number().positive() })
      ).optional(),
    ]),
  ),
);

const schema = z.strictObject({
  chain: z
    .strictObject({
      rpc: z.union([webAddress, z.array(webAddress).min(1)], {
        error: 'expected the address of a node such as "https://node.example", or a list of them',
      }),
      id: z.number().int().positive('expected the number of a chain (EIP-155), such as 1').optional(),
      confirmations: z
        .union([z.number().int().min(1), z.literal('finalized')], {
          error: 'expected a number of blocks from 1, or "finalized"',
        })
        .default(1),
      maxFeePerGasGwei: z.number().positive().optional(),
    })
    .optional(),
  wallet: z
    .strictObject({
      keyFile: path.optional(),
      lowBalanceWei: z
        .string()
        .regex(/^[0-9]+$/)
        .optional(),
    })
    .prefault({}),
  listen: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.number().int().min(0).max(65_535).default(8547),
      insecurePlaintext: z.boolean().default(false),
      tls: z.strictObject({ certFile: path, keyFile: path }).optional(),
    })
    .prefault({}),
  network: z.strictObject({ trustedProxies: z.array(z.string()).default([]) }).prefault({}),
  limits: limitsSchema.prefault({}),
  operators: z.strictObject({ addresses: z.array(address).default([]) }).prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
          error: 'expected one of trace, debug, info, warn, error, silent',
        })
        .default('info'),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      access: z
        .enum(['loopback', 'anyone', 'off'], { error: 'expected one of loopback, anyone, off' })
        .default('loopback'),
    })
    .prefault({}),
});

/** Who may read `/metrics`. */
export type MetricsAccess = 'loopback' | 'anyone' | 'off';

/** Everything a coordinator is run with but its key: the file's content and the flags, complete. */
export interface CoordinatorConfig {
  /** The coordinator's folder. */
  readonly folder: string;
  /** Nodes of the chain in order of preference. */
  readonly rpcUrls: readonly string[];
  /** The chain it must be (EIP-155); undefined for whatever the first node serves. */
  readonly chainId: bigint | undefined;
  /** Blocks that must hold a transaction, or the chain's own finality. */
  readonly confirmations: number | 'finalized';
  /** Ceiling on the price of a unit of gas in wei; undefined for the sender's own. */
  readonly maxFeePerGasWei: bigint | undefined;
  /** File with the coordinator's key; undefined where the environment names it. */
  readonly keyFile: string | undefined;
  /** Balance below which `doctor` warns, in wei. */
  readonly lowBalanceWei: bigint;
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on, 0 for any free one. */
  readonly port: number;
  /** Whether plaintext may be served beyond this machine. */
  readonly insecurePlaintext: boolean;
  /** Certificate and key for TLS; undefined for plaintext. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Addresses or networks of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Limits of the network other than the defaults. */
  readonly limits: Partial<NetworkLimits>;
  /** Further addresses that may act as operators, lower case. */
  readonly operators: readonly Hex[];
  /** How much to log. */
  readonly logLevel: string;
  /** Who may read `/metrics`. */
  readonly metricsAccess: MetricsAccess;
}

/** What flags of the command line say; each goes before the file. */
export interface ConfigFlags {
  /** Nodes of the chain. */
  readonly rpc?: readonly string[];
  /** File with the coordinator's key. */
  readonly keyFile?: string;
  /** Address to listen on. */
  readonly host?: string;
  /** Port to listen on. */
  readonly port?: number;
  /** Further operators. */
  readonly operator?: readonly Hex[];
  /** Whether plaintext may be served beyond this machine. */
  readonly insecurePlaintext?: boolean;
  /** How much to log. */
  readonly logLevel?: string;
}

const LOW_BALANCE_WEI = 10n ** 16n;
const WEI_PER_GWEI = 1e9;

/**
 * Reads the coordinator's configuration: the folder's `coordinator.toml` if there is one, flags before file, defaults
 * after it. Paths in the file are relative to the folder; those in flags to the working directory.
 *
 * @throws ConfigError `config/unreadable`, `config/syntax`, `config/invalid`
 */
export async function loadCoordinatorConfig(folder: string, flags: ConfigFlags = {}): Promise<CoordinatorConfig> {
  const file = join(folder, CONFIG_FILE);
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  const said = isThere ? await readConfigFile(file, schema) : schema.parse({});
  const at = (name: string): string => (isAbsolute(name) ? name : join(folder, name));
  const { chain, wallet, listen, operators, log, metrics } = said;
  const rpc = chain?.rpc ?? [];
  const gwei = chain?.maxFeePerGasGwei;
  return {
    folder,
    rpcUrls: flags.rpc ?? (typeof rpc === 'string' ? [rpc] : rpc),
    chainId: chain?.id === undefined ? undefined : BigInt(chain.id),
    confirmations: chain?.confirmations ?? 1,
    maxFeePerGasWei: gwei === undefined ? undefined : BigInt(Math.round(gwei * WEI_PER_GWEI)),
    keyFile: flags.keyFile ?? (wallet.keyFile === undefined ? undefined : at(wallet.keyFile)),
    lowBalanceWei: wallet.lowBalanceWei === undefined ? LOW_BALANCE_WEI : BigInt(wallet.lowBalanceWei),
    host: flags.host ?? listen.host,
    port: flags.port ?? listen.port,
    insecurePlaintext: flags.insecurePlaintext === true || listen.insecurePlaintext,
    tls: listen.tls && { certFile: at(listen.tls.certFile), keyFile: at(listen.tls.keyFile) },
    trustedProxies: said.network.trustedProxies,
    limits: said.limits as Partial<NetworkLimits>,
    operators: [...operators.addresses, ...(flags.operator ?? []).map((each) => each.toLowerCase() as Hex)],
    logLevel: flags.logLevel ?? log.level,
    metricsAccess: metrics.access,
  };
}
