import { type Command, InvalidArgumentError } from 'commander';
import { readDeployment } from '../../contracts/deploy/deployment-file.ts';
import { loadWallet } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { loadCoordinatorConfig } from '../config/coordinator-config.ts';
import { openJobFolder } from '../job-folder.ts';
import { jobPath, readJobs } from '../job-shelf.ts';
import { findAmong } from '../operator/find-job.ts';
import { RegisterError, registerJob } from '../register-job.ts';
import { ASKED, parseAddress, requireFolder } from './connect.ts';
import { withinLifetime } from './lifetime.ts';
import { type OutputOptions, print, reporting, short } from './output.ts';

interface RegisterOptions extends OutputOptions {
  readonly dir: string;
  readonly deployment: string;
  readonly keyFile?: string;
  readonly owner?: Hex;
  readonly url?: string;
}

/** Adds `register` to `fedanchor job`. */
export function registerRegisterCommand(job: Command): void {
  job
    .command('register')
    .description("enter a job into the chain's registry, where its models can be published")
    .argument('<job>', ASKED)
    .requiredOption('--deployment <file>', 'deployments/<chainId>.json, as fedanchor deploy wrote it')
    .option('--dir <folder>', "the coordinator's folder", '.')
    .option('--key-file <file>', "the job's guardian (default: the coordinator's own wallet, while it is stopped)")
    .option('--owner <address>', 'who owns the entry and gets its bond back (default: who registers)', parseAddress)
    .option(
      '--url <url>',
      'where your coordinator is, said to clients that look for jobs (default: nothing is said)',
      parseUrl,
    )
    .option('--json', 'print JSON', false)
    .action((asked: string, options: RegisterOptions) => reporting(options, () => register(asked, options)));
}

async function register(asked: string, options: RegisterOptions): Promise<void> {
  const { dir, deployment, keyFile } = options;
  await requireFolder(dir);
  const config = await loadCoordinatorConfig(dir);
  const { environment, own } = { environment: process.env, own: config.keyFile };
  const coordinator = await loadWallet({ ...(own === undefined ? {} : { keyFile: own }), environment });
  const signer = keyFile === undefined ? coordinator : await loadWallet({ keyFile, environment });
  const { job } = findAmong(await readJobs(dir), asked);
  const registry = (await readDeployment(deployment)).contracts['Registry']?.address;
  if (registry === undefined) {
    throw new RegisterError('register/not-found', `${deployment} names no Registry: let "fedanchor deploy" write it`);
  }
  const { isNew, ...entry } = await withinLifetime(async (signal) =>
    registerJob({
      ...{ config, coordinator: coordinator.address, signer, registry, signal },
      ...{ job: await openJobFolder(jobPath(dir, job)), owner: options.owner ?? signer.address },
      ...(options.url === undefined ? {} : { coordinatorUrl: options.url }),
    }),
  );
  const bondFree = new Date(entry.bondFreeAtS * 1000).toISOString();
  const amounts = { bond: String(entry.bond), pricePerRound: String(entry.pricePerRound) };
  print(options, { ...entry, ...amounts, job, isNew }, () => [
    `job ${short(job)} is${isNew ? '' : ' already'} registered as ${entry.id}, under parameters ${entry.paramsVersion}`,
    `owner ${entry.owner}; ${entry.bond} are locked until ${bondFree}`,
  ]);
}

function parseUrl(text: string): string {
  if (text.length <= 500 && /^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('expected an address such as https://federation.example');
}
