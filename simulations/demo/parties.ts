import { interrupted } from './demo-error.ts';
import type { Federation } from './federation.ts';
import type { Participant } from './participants.ts';

/** How often a party that died is started again. */
const RESTARTS = 5;

/**
 * Starts the coordinator, then every participant, each a process of its own.
 *
 * @returns where the coordinator listens
 * @throws ProcessError when the coordinator cannot start; DemoError `demo/interrupted`
 */
export async function startParties(federation: Federation, signal: AbortSignal): Promise<string> {
  const { options, folder, cast, processes, screen, rpcUrl } = federation;
  let port = options.port;
  const role =
    options.cheat === undefined ? ['coordinator', 'run'] : ['cheating-coordinator', 'run', '--cheat', options.cheat];
  const coordinator = [...role, '--dir', folder.at('coordinator'), '--rpc', rpcUrl, '--json'];
  const url = await new Promise<string>((listening, failed) => {
    const args = [...coordinator, '--key-file', cast.operator.keyFile];
    const supervised = processes.supervise({
      name: 'the coordinator',
      // Started again it must be where its clients look for it, so the port it found becomes the port it has.
      args: () => [...args, '--port', String(port)],
      logFile: folder.at('logs', 'coordinator.log'),
      onLine: (line) => {
        const address = (JSON.parse(line) as { url: string }).url;
        port = Number(new URL(address).port);
        listening(address);
      },
      restarts: RESTARTS,
      restartsOnlyAfterOutput: true,
    });
    supervised.finished.catch(failed);
    signal.addEventListener('abort', () => failed(interrupted()), { once: true });
  });
  cast.participants.forEach((participant, index) => {
    const supervised = processes.supervise({
      name: participant.name,
      args: () => participantArgs(federation, participant, index, url),
      logFile: folder.at('logs', `${participant.name}.log`),
      restarts: RESTARTS,
    });
    // The others can go on without it.
    supervised.finished.catch((error: Error) => screen.warn(error.message));
  });
  return url;
}

function participantArgs(
  { options, folder, contracts, rpcUrl }: Federation,
  { name, role, keyFile, text }: Participant,
  index: number,
  url: string,
): string[] {
  return [
    ...(role === 'attacker' ? ['attacker', 'run', '--attack', options.attack] : ['client', 'run']),
    ...['--coordinator', url, '--rpc', rpcUrl, '--job', contracts.anchor, '--key-file', keyFile],
    ...['--state', folder.at('clients', name), '--backend', 'wasm', '--seed', String(options.seed * 1000 + index)],
    ...(options.data === undefined ? ['--text', 'documentation'] : []),
    ...['--data', ...text.folders],
  ];
}
