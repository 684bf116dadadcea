import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'smol-toml';
import type { Hex } from '../../shared/bytes.ts';
import { ConfigError } from '../../shared/config-check.ts';

/** What a new client is told already; what is left out stands in its file as a line to fill in. */
export interface NewClient {
  /** Address of the coordinator. */
  readonly coordinator?: string | undefined;
  /** Nodes of the chain in order of preference. */
  readonly rpc?: readonly string[] | undefined;
  /** Address of the job's RoundAnchor. */
  readonly job?: Hex | undefined;
  /** Address of its RewardVault. */
  readonly vault?: Hex | undefined;
  /** Where its data is. */
  readonly data?: readonly string[] | undefined;
  /** File with its key, as it is to stand in the file. */
  readonly keyFile: string;
}

/**
 * Writes a commented configuration.
 *
 * @throws ConfigError `config/exists` if there is one already
 */
export async function writeNewConfig(file: string, client: NewClient): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, configText(client), { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new ConfigError('config/exists', `${file} is there already: edit it, or name another --folder`, { file });
  }
}

/** The configuration as text; each field that is commented out shows its default or an example. */
function configText({ coordinator, rpc, job, vault, data, keyFile }: NewClient): string {
  const line = (name: string, value: string | readonly string[] | undefined, example: string): string =>
    value === undefined ? `# ${name} = ${example}` : stringify({ [name]: value } as never).trim();
  return `# Configuration of a client. Flags of the command line go before what is written here, and so do the variables of the
# environment that "fedanchor client run --help" lists.
# Paths are relative to this file's folder. No secret belongs here: the key stays in a file of its own.

# Where the coordinator is. Beyond this machine it must be https, or insecurePlaintext below be true.
${line('coordinator', coordinator, '"https://federation.example"')}
# Nodes of the chain, the preferred one first.
${line('rpc', rpc, '["https://node.example"]')}
# Your key: an encrypted keystore, or hexadecimal that only you can read.
${line('keyFile', keyFile, '')}
# What was signed, and receipts. Keep it between runs, and never run one key from two copies of it.
state = "state"
# Tokens and updates could be read on the way.
# insecurePlaintext = false

# Each job that you take part in; write [[jobs]] again for another one.
[[jobs]]
# Address of the job's RoundAnchor.
${line('job', job, '"0x0000000000000000000000000000000000000000"')}
# Address of its RewardVault: "client claim" and "client status" need it.
${line('vault', vault, '"0x0000000000000000000000000000000000000000"')}
# Files or folders with your data for this job. It never leaves this machine.
${line('data', data, '["data"]')}
# Which files of a text folder count: "any" or "documentation".
# text = "any"
# A coordinator of this job's own.
# coordinator = "https://elsewhere.example"
# A program of yours that trains in place of this client (docs/trainers.md): any framework, any language.
# trainer = "python3 train.py"
# Variables of the environment that it is given besides the few it always is.
# trainerEnv = ["HF_HOME"]
# "bwrap" keeps it from the rest of the machine, where bubblewrap is installed.
# trainerSandbox = "none"
# What it may read there besides its folder and your data, such as its interpreter where that lies in your home.
# trainerRead = ["/home/me/venv"]
# Folder that it runs in. Left out, this file's.
# trainerCwd = "."
# How long it may take, in seconds. Left out, two minutes to start, a round's deadline to train and to evaluate, ten seconds
# to stop.
# trainerTimeouts = { hello = 120, train = 3600, evaluate = 600, cancel = 10 }
# Repeats the random choices of an earlier run; different for each client. Left out, none repeats.
# seed = 1

[training]
# auto takes the first that works of node-gpu, node, webgpu, wasm, cpu.
# backend = "auto"
# Which of several GPUs. Left out, the first.
# device = "0"
# Jobs that need more are refused. Left out, the machine's memory.
# memoryLimit = "4GiB"
# What a busy core of yours draws, in watts: energy is estimated by it where the machine does not tell (docs/agent.md).
# wattsPerCore = 8

[limits]
# The most that a job may ask of you in a round; one that asks for more is refused before anything is trained.
# steps = 100000
# epochs = 1000
# batchSize = 65536

# Noise on every update, so that it says little about any one example (docs/privacy.md). All four or none.
# [privacy]
# clip = 1.0
# noise = 8.0
# epsilon = 8.0
# delta = 0.00001

[court]
# In a job with a court, recompute the rounds of all and attest them, so that they become final.
# attest = true

[log]
# debug, info, warn, error or silent
# level = "info"
`;
}
