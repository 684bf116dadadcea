import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'smol-toml';
import { ConfigError } from '../../shared/config-check.ts';
import { CONFIG_FILE } from './coordinator-config.ts';

/** What a new coordinator is told. */
export interface NewCoordinator {
  /** Its folder. */
  readonly folder: string;
  /** Nodes of the chain in order of preference. */
  readonly rpcUrls: readonly string[];
  /** The chain's id. */
  readonly chainId: bigint;
  /** File with its key. */
  readonly keyFile: string;
}

/**
 * Makes a coordinator's folder with a commented configuration.
 *
 * @returns the configuration's file
 * @throws ConfigError `config/exists` if there is one already
 */
export async function writeNewConfig(coordinator: NewCoordinator): Promise<string> {
  const { folder } = coordinator;
  const file = join(folder, CONFIG_FILE);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, configText(coordinator), { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new ConfigError('config/exists', `${file} is there already: edit it, or name another --dir`, { file });
  }
  return file;
}

/** The configuration as text; each field that is commented out shows its default. */
function configText({ rpcUrls, chainId, keyFile }: NewCoordinator): string {
  const line = (name: string, value: string | number | readonly string[]): string =>
    stringify({ [name]: value } as never).trim();
  return `# Configuration of a coordinator. Flags of the command line go before what is written here.
# Paths are relative to this file's folder. No secret belongs here: keys stay in files of their own.

[chain]
# Nodes of the chain, the preferred one first; the next one is used while those before it are in trouble.
${line('rpc', [...rpcUrls])}
# The chain it must be (EIP-155): a node of another chain is refused.
${line('id', Number(chainId))}
# Blocks that must hold a transaction before it counts, or "finalized".
# confirmations = 1
# What a unit of gas may cost at most; transactions wait while it costs more.
# maxFeePerGasGwei = 500

[wallet]
# The coordinator's key: hexadecimal, readable by you alone, or an encrypted keystore ("fedanchor key create --help").
${line('keyFile', resolve(keyFile))}
# Balance in wei below which "fedanchor doctor" warns.
# lowBalanceWei = "10000000000000000"

[listen]
# host = "127.0.0.1"
# port = 8547
# Serving plaintext beyond this machine must be asked for by name: use it behind a proxy that adds TLS.
# insecurePlaintext = false

# [listen.tls]
# certFile = "certificate.pem"
# keyFile = "certificate.key"

[network]
# Addresses or networks of proxies whose X-Forwarded-For is believed.
# trustedProxies = ["10.0.0.0/8"]

# [limits]
# Any limit of the network by its name (docs/network.md), such as:
# connections = 16384
# requestsPerJob = { perSecond = 2000, burst = 10000 }

[operators]
# Addresses that may operate besides the coordinator's own.
# addresses = ["0x0000000000000000000000000000000000000000"]

[log]
# trace, debug, info, warn, error or silent
# level = "info"

[metrics]
# Who may read /metrics: "loopback" (programs on this machine), "anyone" or "off".
# access = "loopback"
`;
}
