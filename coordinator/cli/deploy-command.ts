import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ContractName } from '../../contracts/artifacts.ts';
import { deployChain } from '../../contracts/deploy/deploy-chain.ts';
import { type Deployment, writeDeployment } from '../../contracts/deploy/deployment-file.ts';
import { verificationInput } from '../../contracts/deploy/standard-json.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import { loadWallet } from '../../contracts/wallet.ts';
import { readChainSettings } from '../config/chain-settings.ts';
import { withinLifetime } from './lifetime.ts';
import { type OutputOptions, print, reporting, table } from './output.ts';

interface DeployCommandOptions extends OutputOptions {
  readonly rpc: readonly string[];
  readonly keyFile?: string;
  readonly settings?: string;
  readonly out: string;
  readonly standardJson?: string;
}

/** Adds `fedanchor deploy` to the command line. */
export function registerDeployCommand(program: Command): void {
  program
    .command('deploy')
    .description('deploy what a chain needs once: judges, token, governance, parameters and registry')
    .requiredOption('--rpc <url...>', 'nodes of the chain, the preferred one first')
    .option('--key-file <file>', 'pays: hexadecimal or an encrypted keystore (or FEDANCHOR_KEY_FILE)')
    .option('--settings <file>', 'how the governance is to be, in TOML or JSON (default: see docs/governance.md)')
    .option('--out <folder>', 'folder for <chainId>.json', 'deployments')
    .option('--standard-json <folder>', 'write what block explorers need to verify the contracts, too')
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nAddresses follow from the key, the settings and the code: repeated, it deploys what is missing and nothing twice.',
    )
    .action((options: DeployCommandOptions) => reporting(options, () => deploy(options)));
}

async function deploy(options: DeployCommandOptions): Promise<void> {
  const { rpc: urls, keyFile, out, standardJson } = options;
  const wallet = await loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
  const settings = await readChainSettings(options.settings, wallet.address);
  const { deployment, file, created } = await withinLifetime(async (signal) => {
    const rpc = connectRpc({ urls, signal });
    const store = createMemoryOutboxStore();
    const outbox = await createOutbox({ rpc, wallet, store, signal, whenEmpty: 'throw' });
    const deployed = await deployChain(rpc, outbox, settings);
    const target = join(out, `${outbox.chainId}.json`);
    const votes = settings.token ?? deployed.find(({ name }) => name === 'FedToken')?.address ?? '0x';
    const about = { chainId: String(outbox.chainId), deployer: wallet.address, token: votes };
    const written = await writeDeployment(target, about, deployed);
    return {
      deployment: written,
      file: target,
      created: deployed.filter(({ receipt }) => receipt !== undefined).length,
    };
  });
  if (standardJson !== undefined) await exportInputs(standardJson, deployment);
  print(options, { file, created, ...deployment }, () => [
    ...table([
      ['CONTRACT', 'ADDRESS'],
      ...Object.entries(deployment.contracts).map(([name, { address }]) => [name, address]),
    ]),
    `${created} deployed now; ${file} is written`,
  ]);
}

/** For each contract `<Name>.json`, the compiler's input, and in `contracts.json` what explorers ask besides. */
async function exportInputs(folder: string, { chainId, contracts }: Deployment): Promise<void> {
  await mkdir(folder, { recursive: true });
  const about: object[] = [];
  for (const [name, { address, constructorArguments }] of Object.entries(contracts)) {
    const { input, contract, solcVersion } = await verificationInput(name as ContractName);
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(input, null, 1)}\n`);
    about.push({ name, address, contract, solcVersion, constructorArguments, input: `${name}.json` });
  }
  await writeFile(join(folder, 'contracts.json'), `${JSON.stringify({ chainId, contracts: about }, null, 2)}\n`);
}
