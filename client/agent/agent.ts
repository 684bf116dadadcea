import { setTimeout as delay } from 'node:timers/promises';
import { LedgerError } from '../../contracts/ledger/ledger-error.ts';
import type { ListedJob } from '../../contracts/ledger/registry-listing.ts';
import { OutboxError } from '../../contracts/outbox/outbox-error.ts';
import type { Rpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { JobLockError } from '../lock/job-lock.ts';
import type { Log } from '../log.ts';
import type { ClientOutcome } from '../session/state.ts';
import { openStakeDesk } from '../stake/stake-desk.ts';
import { TransportError } from '../transports/transport-error.ts';
import type { AgentChain, Found } from './agent-chain.ts';
import type { AgentMemory } from './agent-memory.ts';
import { type Decision, decide } from './decide.ts';
import type { DecisionLog } from './decision-log.ts';
import type { AgentView, WorkView } from './job-view.ts';
import type { Policy } from './policy.ts';
import { readWork } from './read-work.ts';
import { settle } from './settle.ts';

/** What an agent is made of. */
export interface AgentOptions {
  /** What it may do. */
  readonly policy: Policy;
  /** The chain's node. */
  readonly rpc: Rpc;
  /** The chain as it looks at it. */
  readonly chain: AgentChain;
  /** Its wallet; nothing else sends from it meanwhile. */
  readonly signer: Signer;
  /** What it remembers. */
  readonly memory: AgentMemory;
  /** Where it says what it decides. */
  readonly decisions: DecisionLog;
  /** Takes part in a job until it ends or the signal has it leave in good order. */
  readonly takePart: (
    found: Found,
    work: WorkView,
    coordinatorUrl: string,
    drain: AbortSignal,
  ) => Promise<ClientOutcome>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Where to tell what happens beside the decisions. */
  readonly log: Log;
  /** Ends it: jobs in work are left in good order. */
  readonly signal: AbortSignal;
}

/** Takes part in jobs by itself, under a policy. */
export interface Agent {
  /** Looks at the chain once, and acts. */
  look(): Promise<void>;
  /** Looks once, says what it would do, and does nothing. */
  tell(): Promise<void>;
  /** Looks again and again until the signal; resolves when every job in work has been left. */
  run(): Promise<void>;
}

interface Part {
  readonly drain: AbortController;
  readonly ended: Promise<void>;
}

/** Creates an agent: a loop around {@link decide}, with one hand on the wallet. */
export function createAgent(options: AgentOptions): Agent {
  const { policy, chain, signer, memory, decisions, log, signal, now } = options;
  const listed = new Map<Hex, ListedJob>();
  const works = new Map<Hex, WorkView>();
  const parts = new Map<Hex, Part>();
  /** Jobs in which nothing is staked and which the policy does not take: what that follows from never changes. */
  const dismissed = new Set<Hex>();

  const survey = async (): Promise<Found[]> => {
    for (const each of await chain.find()) listed.set(each.anchor, each);
    const found: Found[] = [];
    for (const each of listed.values()) {
      if (dismissed.has(each.anchor)) continue;
      const job = await attempt(each.anchor, () => chain.look(each));
      if (job !== undefined) found.push(job);
    }
    return found;
  };

  /** Carries on with the other jobs where one cannot be looked at. */
  async function attempt<T>(anchor: Hex, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof FedanchorError)) throw error;
      log.warn({ job: anchor, code: error.code }, `${error.message} (it is tried again at the next look)`);
      return undefined;
    }
  }

  const viewOfSelf = (found: readonly Found[]): AgentView => {
    const stakedByToken = new Map<Hex, bigint>();
    const balances = new Map<Hex, bigint>();
    for (const { view, balance } of found) {
      stakedByToken.set(view.token, (stakedByToken.get(view.token) ?? 0n) + view.staked);
      balances.set(view.token, balance);
    }
    const ended = memory.entries().filter(([, { outcome }]) => outcome !== undefined);
    return {
      nowMs: now(),
      running: [...parts.keys()],
      ended: ended.map(([anchor]) => anchor),
      stakedByToken,
      balances,
    };
  };

  /** Decides with the manifest, which is read first where what the chain says is fine. */
  const decideOn = async (job: Found, self: () => AgentView): Promise<Decision> => {
    const { view, facts } = job;
    const first = decide(policy, view, works.get(view.anchor), self());
    if (first.kind !== 'inspect' || view.coordinatorUrl === undefined) return first;
    try {
      const work = await readWork(view.coordinatorUrl, policy.insecurePlaintext, signer, facts);
      works.set(view.anchor, work);
      return decide(policy, view, work, self());
    } catch (error) {
      if (!(error instanceof FedanchorError)) throw error;
      return refusalOf(error);
    }
  };

  const begin = (job: Found, work: WorkView, coordinatorUrl: string): void => {
    const { anchor } = job.view;
    const drain = new AbortController();
    const remember = (outcome: string | undefined) =>
      memory.set(anchor, { coordinatorUrl, isSettled: false, ...(outcome !== undefined && { outcome }) });
    const ended = options
      .takePart(job, work, coordinatorUrl, drain.signal)
      .then(
        (outcome) => remember(outcomeOf(outcome)),
        (error: unknown) => {
          const code = error instanceof FedanchorError ? error.code : 'agent/failed';
          const { message } = error as Error;
          log.error({ job: anchor, code }, message);
          return drain.signal.aborted || isPassing(error) ? undefined : remember(`${code}: ${message}`);
        },
      )
      .finally(() => parts.delete(anchor));
    parts.set(anchor, { drain, ended });
  };

  const act = async (job: Found, decision: Decision): Promise<void> => {
    const { view, ledger, stakes } = job;
    const { anchor, coordinatorUrl, staked } = view;
    if (decision.kind === 'leave') parts.get(anchor)?.drain.abort();
    const remembered = memory.get(anchor);
    if (decision.kind === 'ignore' && remembered !== undefined) {
      // It was joined before, and is not taken any more: what is in it is taken out.
      const outcome = decision.reasons.map(({ message }) => message).join('; ');
      await memory.set(anchor, { ...remembered, outcome });
    } else if (decision.kind === 'ignore' && staked === 0n) {
      dismissed.add(anchor);
    }
    const work = works.get(anchor);
    if (decision.kind !== 'join' || coordinatorUrl === undefined || work === undefined) return;
    await memory.set(anchor, { coordinatorUrl, isSettled: false });
    if (decision.stake > 0n && stakes !== undefined) {
      await withEnd(signal, async (end) => {
        const desk = await openStakeDesk(options.rpc, { ledger, stakes }, signer, end);
        await desk.add(decision.stake);
      });
    }
    begin(job, work, coordinatorUrl);
  };

  const visit = async (isActing: boolean): Promise<void> => {
    const found = await survey();
    for (const job of found) {
      if (signal.aborted) return;
      const { anchor, staked } = job.view;
      await attempt(anchor, async () => {
        const remembered = memory.get(anchor);
        if (remembered?.outcome !== undefined) {
          if (isActing && !remembered.isSettled) await settleJob(job, remembered.coordinatorUrl);
          return;
        }
        const decision = await decideOn(job, () => viewOfSelf(found));
        await decisions.say(anchor, decision, isActing ? undefined : 'nothing was done: this was a look only');
        if (!isActing) return;
        await act(job, decision);
        // What was spent for this job is not there for the next one.
        if (decision.kind === 'join') await refresh(found, job, staked + decision.stake);
      });
    }
  };

  const refresh = async (found: Found[], job: Found, staked: bigint): Promise<void> => {
    const balance = await job.ledger.balanceOf(signer.address);
    for (const [index, each] of found.entries()) {
      if (each.view.token !== job.view.token) continue;
      found[index] = { ...each, balance, ...(each === job && { view: { ...each.view, staked } }) };
    }
  };

  const settleJob = async (job: Found, coordinatorUrl: string): Promise<void> => {
    const { rpc } = options;
    const { insecurePlaintext: allowPlaintext } = policy;
    const { anchor } = job.view;
    const { isSettled, note } = await withEnd(signal, (end) =>
      settle(job, { rpc, signer, coordinatorUrl, allowPlaintext, signal: end }),
    );
    const reasons = [{ code: 'job-over' as const, message: memory.get(anchor)?.outcome ?? '' }];
    await decisions.say(anchor, { kind: 'ignore', reasons }, note);
    const before = memory.get(anchor);
    if (isSettled && before !== undefined) await memory.set(anchor, { ...before, isSettled });
  };

  return {
    look: () => visit(true),
    tell: () => visit(false),
    async run() {
      while (!signal.aborted) {
        try {
          await visit(true);
        } catch (error) {
          if (signal.aborted) break;
          if (!(error instanceof LedgerError || error instanceof OutboxError)) throw error;
          log.warn({ code: error.code }, `${error.message} (it is tried again at the next look)`);
        }
        await delay(policy.everyS * 1000, undefined, { signal }).catch(() => undefined);
      }
      for (const { drain } of parts.values()) drain.abort();
      await Promise.all([...parts.values()].map(({ ended }) => ended));
    },
  };
}

/** What follows from a manifest that could not be read: one that is not the job's will not become it. */
function refusalOf(error: FedanchorError): Decision {
  const { code, message } = error;
  if (/^(transport|audit|request|coordinator|ledger)\//.test(code)) {
    return { kind: 'wait', reasons: [{ code: 'unreachable', message }] };
  }
  return { kind: 'ignore', reasons: [{ code: 'bad-manifest', message }] };
}

/** Whether what ended a part says nothing about the job: a node that is away, another process that has the job. */
function isPassing(error: unknown): boolean {
  return error instanceof LedgerError || error instanceof TransportError || error instanceof JobLockError;
}

/** Does some work that leaves nothing behind: what it opens ends with it, or with the whole. */
async function withEnd<T>(signal: AbortSignal, work: (end: AbortSignal) => Promise<T>): Promise<T> {
  const lifetime = new AbortController();
  const stop = (): void => lifetime.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await work(lifetime.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    lifetime.abort();
  }
}

/** How a part ended, in a sentence; undefined where it was only left for now. */
function outcomeOf(outcome: ClientOutcome): string | undefined {
  switch (outcome.kind) {
    case 'closed':
      return `closed after ${outcome.rounds} rounds`;
    case 'failed':
      return `failed: ${outcome.reason}`;
    case 'aborted':
      return undefined;
  }
}
