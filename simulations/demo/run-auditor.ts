import type { AuditVerdict } from './document.ts';
import type { Federation } from './federation.ts';

/** Lets an auditor that trusts only the chain recompute everything, in a process of its own. */
export async function runAuditor(federation: Federation, url: string): Promise<AuditVerdict> {
  const { folder, contracts, processes, screen, rpcUrl } = federation;
  screen.title('An independent auditor recomputes every round from the chain');
  const report: string[] = [];
  await processes.run({
    name: 'the auditor',
    args: () => [
      ...['verify', '--rpc', rpcUrl, '--job', contracts.anchor, '--vault', contracts.vault],
      ...['--blobs', url, '--json'],
    ],
    logFile: folder.at('logs', 'auditor.log'),
    onLine: (line) => report.push(line),
    onErrorLine: (line) => screen.say(line),
  });
  return JSON.parse(report.join('\n')) as AuditVerdict;
}
