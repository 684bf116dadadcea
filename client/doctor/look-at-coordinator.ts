import type { JobFacts } from '../../contracts/ledger/facts.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { ClientConfig, JobConfig } from '../config/client-config.ts';
import { estimateMemoryBytes } from '../limits/memory-estimate.ts';
import { checkWork } from '../limits/work-limits.ts';
import { checkTerms } from '../session/check-terms.ts';
import type { BulkTransport } from '../transports/bulk-transport.ts';
import { type CoordinatorSession, openCoordinatorSession } from '../transports/coordinator-session.ts';
import { coordinatorEndpoint } from '../transports/endpoint.ts';
import { createHttpBulk } from '../transports/http-bulk.ts';
import { bad, good, type Outcome, warning } from './finding.ts';
import type { Ward } from './ward.ts';

/** A coordinator that answers, and what it is asked for through. */
export interface OpenCoordinator {
  /** Downloads. */
  readonly bulk: BulkTransport;
  /** The session. */
  readonly session: CoordinatorSession;
}

const MOST_SKEW_MS = 120_000;
const ANSWER_LIMIT_MS = 10_000;
const MOST_MANIFEST_BYTES = 16 * 2 ** 20;

/**
 * Looks whether the coordinator is there, by HTTP and by socket, and whether it speaks for this job.
 *
 * @returns an open session; to be closed
 */
export async function lookAtCoordinator(
  ward: Ward,
  { insecurePlaintext }: Pick<ClientConfig, 'insecurePlaintext'>,
  { coordinator }: JobConfig,
  facts: JobFacts | undefined,
  wallet: Signer | undefined,
  nowMs: number,
): Promise<OpenCoordinator | undefined> {
  const url = await ward.look<string>(
    'address',
    'name an https address as coordinator, or set insecurePlaintext = true',
    () => {
      const endpoint = coordinatorEndpoint(coordinator, insecurePlaintext);
      return [endpoint.startsWith('https:') ? good('TLS') : good(`plaintext to ${endpoint}`), endpoint];
    },
  );
  if (url === undefined) return undefined;
  const isThere = await ward.look<true>(
    'coordinator',
    'check its address, its certificate, and whether it runs',
    async () => [await checkAnswer(url, nowMs), true],
  );
  if (!isThere || !facts || !wallet) return undefined;
  const counterpart = {
    chainId: facts.chainId,
    anchor: facts.anchor,
    job: facts.manifestHash,
    coordinator: facts.coordinator,
  };
  return ward.look<OpenCoordinator>(
    'session',
    "compare the versions of both sides, the addresses, and the job's list of participants",
    async () => {
      const session = await openCoordinatorSession(coordinator, insecurePlaintext, wallet, counterpart);
      const bulk = createHttpBulk({
        ...{ url, token: () => session.token, renewToken: async () => undefined },
        ...{ idleTimeoutMs: ANSWER_LIMIT_MS, retry: { tries: 1, firstDelayMs: 0, mostDelayMs: 0 } },
      });
      return [good('it speaks this version of the protocol, for this job'), { bulk, session }];
    },
  );
}

/**
 * Looks at the manifest: that it is the one on chain, that this account may take part, that it asks for no more than the
 * client gives.
 */
export async function lookAtManifest(
  ward: Ward,
  { limits }: Pick<ClientConfig, 'limits'>,
  facts: JobFacts,
  { bulk }: OpenCoordinator,
  wallet: Signer,
): Promise<JobTerms | undefined> {
  const terms = await ward.look<JobTerms>('manifest', "ask the job's operator; take part in nothing else", async () => {
    const bytes = await bulk.getBlob(facts.job, facts.manifestHash, MOST_MANIFEST_BYTES);
    const read = checkTerms(bytes, facts, wallet.address);
    const { manifest, layout } = read;
    return [
      good(`"${manifest.name}": ${manifest.task.kind}, ${layout.parameters} parameters, ${manifest.rounds} rounds`),
      read,
    ];
  });
  if (!terms) return undefined;
  const fits = await ward.look<true>(
    'limits',
    'raise them under [limits] or training.memoryLimit, or leave the job',
    () => {
      checkWork(terms.manifest, limits);
      const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
      return [good(`about ${mib(estimateMemoryBytes(terms.manifest))} of memory, of ${mib(limits.memoryBytes)}`), true];
    },
  );
  return fits ? terms : undefined;
}

async function checkAnswer(url: string, nowMs: number): Promise<Outcome> {
  let response: Response;
  try {
    response = await fetch(`${url}/healthz`, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  } catch (error) {
    const { cause } = error as Error;
    return bad(`${url} does not answer: ${cause instanceof Error ? cause.message : (error as Error).message}`);
  }
  await response.body?.cancel();
  if (!response.ok)
    return bad(`${url} answered ${response.status}: there is something else, or a proxy that cannot reach it`);
  const told = Date.parse(response.headers.get('date') ?? '');
  const skewMs = told - nowMs;
  if (Number.isNaN(told) || Math.abs(skewMs) <= MOST_SKEW_MS) return good(`${url} answers`);
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const message = `${url} answers; its clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} this machine's`;
  return warning(message, "set the machine's clock by NTP, or tell the operator");
}
