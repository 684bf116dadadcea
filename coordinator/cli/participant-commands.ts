import type { Command } from 'commander';
import type { Hex } from '../../shared/bytes.ts';
import type { JobDetail } from '../../shared/protocol/messages.ts';
import { type ConnectOptions, findJob, parseAddress, withConnection, withOperator } from './connect.ts';
import { print, reporting, short, table } from './output.ts';

interface JudgeOptions extends ConnectOptions {
  readonly job: string;
  readonly reason: string;
}

/** Adds `fedanchor participant …` to the command line. */
export function registerParticipantCommands(program: Command): void {
  const participant = program.command('participant').description('see who takes part in a job, and who may not');
  withConnection(participant.command('list').description('list the participants of a job'))
    .requiredOption('--job <job>', "the job's identifier or its beginning, its anchor's address, or its name")
    .action((options: JudgeOptions) => reporting(options, () => list(options)));
  for (const [action, description] of ACTIONS) {
    withConnection(participant.command(action).description(description))
      .argument('<address>', "the participant's address", parseAddress)
      .requiredOption('--job <job>', "the job's identifier or its beginning, its anchor's address, or its name")
      .option('--reason <text>', 'why: kept in the log of the job and in the audit log', '')
      .action((address: Hex, options: JudgeOptions) => reporting(options, () => judge(action, address, options)));
  }
}

const ACTIONS = [
  ['ban', 'keep a participant out of a job; an update that was accepted before stays'],
  ['allow', 'lift a ban'],
] as const;

async function list(options: JudgeOptions): Promise<void> {
  const detail = await withOperator(options, async (client) => {
    const { job } = await findJob(client, options.job);
    return (await client.request('operator.job', { job })).job;
  });
  const { job, participants } = detail;
  print(options, { job, participants }, () =>
    participants.length === 0 ? ['nobody has taken part yet'] : participantTable(participants),
  );
}

/** Participants of a job in columns. */
export function participantTable(participants: JobDetail['participants']): string[] {
  return table([HEADING, ...participants.map(row)]);
}

const HEADING = ['PARTICIPANT', 'NOW', 'ACCEPTED', 'REFUSED', 'DECLINED', 'LAST ANSWER'];

function row(participant: JobDetail['participants'][number]): string[] {
  const { address, present, banned, answer, accepted, refused, declined, answerMs } = participant;
  const now = answer ?? (present ? 'present' : 'away');
  const ban = banned === '' ? 'banned' : `banned: ${banned}`;
  const last = answerMs === null ? '' : `${(answerMs / 1000).toFixed(1)} s`;
  return [address, banned === null ? now : ban, String(accepted), String(refused), String(declined), last];
}

async function judge(action: 'ban' | 'allow', participant: Hex, options: JudgeOptions): Promise<void> {
  const { reason } = options;
  const answer = await withOperator(options, async (client) => {
    const { job } = await findJob(client, options.job);
    return client.request('operator.participant', { job, participant, action, reason });
  });
  print(options, answer, () => {
    const what = action === 'ban' ? 'is banned from' : 'may take part in';
    return [`${participant} ${what} job ${short(answer.job.job)}${answer.changed ? '' : ' (it was so before)'}`];
  });
}
