import type { Ledger } from '../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import type { Rpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import { createHttpBlobSource } from '../auditor/http-blob-source.ts';
import { claimRewards } from '../rewards/claim.ts';
import { openStakeDesk } from '../stake/stake-desk.ts';
import { openCoordinatorSession } from '../transports/coordinator-session.ts';
import type { Found } from './agent-chain.ts';

/** What one look at a job that has ended came to. */
export interface Settlement {
  /** Whether nothing is left to be done. */
  readonly isSettled: boolean;
  /** What was done or is waited for, for people. */
  readonly note: string;
}

/** With what a job is settled. */
export interface SettleOptions {
  /** The chain. */
  readonly rpc: Rpc;
  /** The agent's wallet; nothing else sends from it meanwhile. */
  readonly signer: Signer;
  /** Where the coordinator is. */
  readonly coordinatorUrl: string;
  /** Whether `http:` may leave this machine. */
  readonly allowPlaintext: boolean;
  /** Ends the wait for the chain, and what was opened for it. */
  readonly signal: AbortSignal;
}

/**
 * The next step with a job that has ended: claim what was earned once every anchored round is final, then ask for the
 * stake, then take it out when it is free.
 *
 * @throws LedgerError, OutboxError, TransportError, ProtocolError, DivergenceFound: it is tried again at the next look
 */
export async function settle(found: Found, options: SettleOptions): Promise<Settlement> {
  const { ledger, stakes } = found;
  const { rpc, signer, signal } = options;
  const finalAt = await pendingUntil(ledger);
  if (finalAt !== undefined) return { isSettled: false, note: `rewards are claimed once they are final, ${finalAt}` };
  const earned = await claimAll(found, options);
  if (stakes === undefined) return { isSettled: true, note: earned };
  const [{ amount, exitRequestedAtS }, owed, { exitDelayS }, timeS] = await Promise.all([
    ...([stakes.stakeOf(signer.address), stakes.owedTo(signer.address), stakes.terms(), ledger.chainTimeS()] as const),
  ]);
  if (amount === 0n && owed === 0n) return { isSettled: true, note: earned };
  const desk = await openStakeDesk(rpc, { ledger, stakes }, signer, signal);
  if (owed > 0n) await desk.withdraw();
  if (amount === 0n) return { isSettled: true, note: `${owed} of credits are taken out` };
  const freeAtS = exitRequestedAtS + exitDelayS;
  if (exitRequestedAtS > 0 && timeS < freeAtS) {
    return {
      isSettled: false,
      note: `the stake of ${amount} is free from ${new Date(freeAtS * 1000).toISOString()} on`,
    };
  }
  const { step } = await desk.leave();
  if (step === 'paid') return { isSettled: true, note: `the stake of ${amount} is paid back` };
  return { isSettled: false, note: `${earned}; the stake of ${amount} is asked for` };
}

/** Until when the last anchored round is not final; undefined where all are. */
async function pendingUntil(ledger: Ledger): Promise<string | undefined> {
  const last = (await ledger.records()).at(-1)?.record;
  if (last === undefined || (await ledger.isFinal(last))) return undefined;
  const { finalAtS } = await ledger.finality(last.round);
  return `round ${last.round} not before ${new Date(finalAtS * 1000).toISOString()}`;
}

async function claimAll({ ledger, facts, vault, view }: Found, options: SettleOptions): Promise<string> {
  const { rpc, signer, coordinatorUrl, allowPlaintext, signal } = options;
  if (view.anchored === 0) return 'no round was anchored: nothing was earned';
  const session = await openCoordinatorSession(coordinatorUrl, allowPlaintext, signer, facts);
  try {
    const store = createMemoryOutboxStore();
    const outbox = await createOutbox({ rpc, wallet: signer, store, signal, whenEmpty: 'throw' });
    const writer = createLedgerWriter(outbox, { anchor: facts.anchor, vault, token: view.token });
    const blobs = createHttpBlobSource({ url: session.url, job: facts.job, token: session.token });
    const { earned, before, claimed } = await claimRewards(ledger, writer, blobs, signer.address);
    return `${earned} were earned, ${claimed - before} are claimed now`;
  } finally {
    session.close();
  }
}
