import type { Command } from 'commander';
import { loadWallet } from '../../contracts/wallet.ts';
import { loadCoordinatorConfig } from '../config/coordinator-config.ts';
import { examine, type Finding } from '../operator/doctor.ts';
import { type OutputOptions, print, reporting } from './output.ts';

interface DoctorCommandOptions extends OutputOptions {
  readonly dir: string;
}

/** Exit code when something keeps the coordinator from working. */
const ILL = 1;

/** Adds `fedanchor doctor` to the command line. */
export function registerDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('look at all that a coordinator needs, and say what to do about what is amiss')
    .option('--dir <folder>', "the coordinator's folder", '.')
    .option('--json', 'print JSON', false)
    .action((options: DoctorCommandOptions) => reporting(options, () => doctor(options)));
}

async function doctor(options: DoctorCommandOptions): Promise<void> {
  const config = await loadCoordinatorConfig(options.dir);
  const { keyFile } = config;
  const findings = await examine({
    config,
    openWallet: () => loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env }),
    nodeVersion: process.versions.node,
    now: () => Date.now(),
  });
  const healthy = findings.every(({ verdict }) => verdict !== 'bad');
  print(options, { healthy, findings }, () => findings.flatMap(describe));
  if (!healthy) process.exitCode = ILL;
}

const SIGNS: Readonly<Record<Finding['verdict'], string>> = { good: '✓', warning: '!', bad: '✗' };

function describe({ name, verdict, message, remedy }: Finding): string[] {
  return [`${SIGNS[verdict]} ${name}: ${message}`, ...(remedy === undefined ? [] : [`    ${remedy}`])];
}
