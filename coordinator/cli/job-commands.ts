import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { loadWallet } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { JobDetail, JobSummary, RequestOf } from '../../shared/protocol/messages.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { loadCoordinatorConfig } from '../config/coordinator-config.ts';
import { readJobDraft } from '../config/job-draft.ts';
import { createJob } from '../create-job.ts';
import { exportModel } from '../operator/export-model.ts';
import { registerBackupCommands } from './backup-commands.ts';
import { ASKED, type ConnectOptions, findJob, OperatorUsageError, withConnection, withOperator } from './connect.ts';
import { describeEvent } from './describe-event.ts';
import { type OutputOptions, print, reporting, short, table } from './output.ts';
import { participantTable } from './participant-commands.ts';
import { registerRegisterCommand } from './register-command.ts';

/** Adds `fedanchor job …` to the command line. */
export function registerJobCommands(program: Command): void {
  const job = program.command('job').description('create jobs and operate those of a running coordinator');
  job
    .command('create')
    .description('deploy the contracts of a job and write its folder; repeated after a failure it goes on')
    .argument('<file>', 'the job in TOML or JSON')
    .option('--dir <folder>', "the coordinator's folder", '.')
    .option('--key-file <file>', "pays for the contracts (default: the coordinator's own wallet, while it is stopped)")
    .option('--json', 'print JSON', false)
    .action((file: string, options: CreateOptions) => reporting(options, () => create(file, options)));
  withConnection(job.command('list').description('list every job of the coordinator')).action(
    (options: ConnectOptions) => reporting(options, () => list(options)),
  );
  withConnection(job.command('show').description('show one job with its rounds and participants'))
    .argument('<job>', ASKED)
    .action((asked: string, options: ConnectOptions) => reporting(options, () => show(asked, options)));
  withConnection(job.command('watch').description('show what happens until the job has ended'))
    .argument('<job>', ASKED)
    .action((asked: string, options: ConnectOptions) => reporting(options, () => watch(asked, options)));
  withConnection(job.command('export').description('write the model as safetensors'))
    .argument('<job>', ASKED)
    .option('--out <file>', 'file to write', 'model.safetensors')
    .option(
      '--round <number>',
      'the model after this round, 0 for the one before round 1 (default: the latest)',
      parseRound,
    )
    .action((asked: string, options: ExportOptions) => reporting(options, () => exportTo(asked, options)));
  registerBackupCommands(job);
  registerRegisterCommand(job);
  for (const [action, description] of ACTIONS) {
    withConnection(job.command(action).description(description))
      .argument('<job>', ASKED)
      .option('--reason <text>', 'why: kept in the log of the job and in the audit log', '')
      .action((asked: string, options: ActOptions) => reporting(options, () => act(action, asked, options)));
  }
}

interface CreateOptions extends OutputOptions {
  readonly dir: string;
  readonly keyFile?: string;
}

interface ExportOptions extends ConnectOptions {
  readonly out: string;
  readonly round?: number;
}

interface ActOptions extends ConnectOptions {
  readonly reason: string;
}

const ACTIONS: readonly (readonly [RequestOf<'operator.act'>['action'], string])[] = [
  ['start', 'start a job that was created'],
  ['pause', 'open no further round; the open one is finished'],
  ['resume', 'go on after a pause'],
  ['stop', 'end the job with the rounds it has; it cannot be started again'],
];

/** Exit code of `job watch` for a job that has failed. */
const FAILED = 1;

async function create(file: string, options: CreateOptions): Promise<void> {
  const config = await loadCoordinatorConfig(options.dir);
  const own = await loadWallet({
    ...(config.keyFile === undefined ? {} : { keyFile: config.keyFile }),
    environment: process.env,
  });
  const deployer =
    options.keyFile === undefined ? own : await loadWallet({ keyFile: options.keyFile, environment: process.env });
  const lifetime = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => lifetime.abort());
  const draft = await readJobDraft(file);
  const { terms, contracts, folder } = await createJob({
    ...{ config, coordinator: own.address, deployer, draft, signal: lifetime.signal },
    nowS: () => Math.floor(Date.now() / 1000),
  });
  const { job, manifest } = terms;
  print(options, { job, name: manifest.name, coordinator: own.address, contracts, folder }, () => [
    `job     ${job}`,
    `anchor  ${contracts.anchor}`,
    `vault   ${contracts.vault}`,
    `token   ${contracts.token}`,
    ...(contracts.stakes === undefined ? [] : [`stakes   ${contracts.stakes}`]),
    ...(contracts.disputes === undefined ? [] : [`disputes ${contracts.disputes}`]),
    ...bondAdvice(terms.manifest.court, contracts.anchor),
    `start it with: fedanchor job start ${short(job)} --dir ${options.dir}`,
  ]);
}

/** With a court no round opens before the coordinator has something to lose. */
function bondAdvice(court: Manifest['court'], anchor: Hex): string[] {
  if (court === undefined) return [];
  return [
    `post the coordinator's bond with: fedanchor stake bond add --amount ${court.coordinatorBond} --job ${anchor} --rpc URL --key-file FILE`,
  ];
}

async function list(options: ConnectOptions): Promise<void> {
  const { jobs } = await withOperator(options, (client) => client.request('operator.jobs', { which: 'all' }));
  print(options, { jobs }, () =>
    jobs.length === 0
      ? ['there is no job yet: "fedanchor job create" makes one']
      : table([['JOB', 'NAME', 'PHASE', 'ROUNDS', 'PRESENT', 'NOTE'], ...jobs.map(listRow)]),
  );
}

function listRow({ job, name, phase, paused, round, rounds, present, expected, reason }: JobSummary): string[] {
  const state = paused ? `${phase}, paused` : phase;
  return [short(job), name, state, `${round}/${rounds}`, `${present}/${expected}`, reason ?? ''];
}

async function show(asked: string, options: ConnectOptions): Promise<void> {
  const detail = await withOperator(options, async (client) => {
    const { job } = await findJob(client, asked);
    return (await client.request('operator.job', { job })).job;
  });
  print(options, detail, () => describeJob(detail));
}

/** A job in full, for people. */
function describeJob(job: JobDetail): string[] {
  const deadline = job.remainingMs === null ? '' : `, ${Math.ceil(job.remainingMs / 1000)} s left`;
  return [
    `job      ${job.job}`,
    `name     ${job.name}`,
    `anchor   ${job.anchor}`,
    ...(job.vault === null ? [] : [`vault    ${job.vault}`]),
    `phase    ${job.phase}${job.paused ? ', paused' : ''}${deadline}${job.reason ? `: ${job.reason}` : ''}`,
    `rounds   ${job.round} of ${job.rounds}, attempt ${job.attempt}`,
    `model    ${job.modelRoot}`,
    '',
    ...participantTable(job.participants),
    ...(job.history.length === 0 ? [] : ['']),
    ...(job.history.length === 0
      ? []
      : table([
          ['ROUND', 'UPDATES', 'CLOSED IN', 'GAS', 'BLOCK', 'MODEL'],
          ...job.history.map(({ round, accepted, closeMs, gasUsed, blockNumber, modelRoot }) => [
            ...[String(round), String(accepted), `${Math.round(closeMs)} ms`, gasUsed, String(blockNumber)],
            short(modelRoot),
          ]),
        ])),
  ];
}

async function watch(asked: string, options: ConnectOptions): Promise<void> {
  await withOperator(options, async (client) => {
    const { job } = await findJob(client, asked);
    let outcome: string | undefined;
    await client.watch(job, {
      onEvent: (event) => {
        process.stdout.write(`${options.json ? JSON.stringify(event) : describeEvent(event)}\n`);
      },
      onState: ({ phase, reason }) => {
        if (outcome !== undefined || (phase !== 'closed' && phase !== 'failed')) return;
        outcome = phase === 'failed' ? `the job has failed: ${reason}` : 'the job is closed';
        if (phase === 'failed') process.exitCode = FAILED;
        // Messages keep their order: with this answer every event before it has come.
        void client.request('job.state', { job }).finally(() => client.close());
      },
    });
    if (outcome === undefined) {
      const message = 'the coordinator has ended the connection: watch again when it is back';
      throw new OperatorUsageError('usage/watch-interrupted', message);
    }
    process.stderr.write(`${outcome}\n`);
  });
}

async function exportTo(asked: string, options: ExportOptions): Promise<void> {
  const exported = await withOperator(options, async (client) => {
    const { job } = await findJob(client, asked);
    return exportModel(client, job, options.round);
  });
  await writeFile(options.out, exported.bytes);
  const { job, round, modelRoot } = exported;
  print(options, { job, round, modelRoot, file: options.out }, () => [
    `${options.out}: the model of ${short(job)} after round ${round}, root ${modelRoot}`,
  ]);
}

async function act(action: RequestOf<'operator.act'>['action'], asked: string, options: ActOptions): Promise<void> {
  const { reason } = options;
  const answer = await withOperator(options, async (client) => {
    const { job } = await findJob(client, asked);
    return client.request('operator.act', { job, action, reason });
  });
  print(options, answer, () => {
    const { job, phase, paused } = answer.job;
    const now = `${phase}${paused ? ', paused' : ''}`;
    return [`job ${short(job)} is ${now}${answer.changed ? '' : ' (it was so before)'}`];
  });
}

function parseRound(text: string): number {
  if (/^[0-9]{1,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected the number of a round, from 0');
}
