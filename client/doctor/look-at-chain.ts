import { verifyCourt } from '../../contracts/deploy/verify-court.ts';
import type { JobFacts } from '../../contracts/ledger/facts.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import { connectStakes } from '../../contracts/ledger/stakes.ts';
import { connectRpc, type Rpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { CourtTerms } from '../../shared/round/court-terms.ts';
import type { JobConfig } from '../config/client-config.ts';
import { bad, good, type Outcome, warning } from './finding.ts';
import type { Ward } from './ward.ts';

/** A job as the chain has it. */
export interface JobOnChain {
  /** Its contracts. */
  readonly ledger: Ledger;
  /** What it was created with. */
  readonly facts: JobFacts;
  /** The node. */
  readonly rpc: Rpc;
}

const MOST_SKEW_MS = 120_000;
const ANSWER_LIMIT_MS = 10_000;

/** Looks at each node by itself: one that answers now may be the one that is needed later. */
export async function lookAtNodes(ward: Ward, urls: readonly string[], nowMs: number): Promise<void> {
  for (const url of urls) {
    const rpc = connectRpc({ url, timeoutMs: ANSWER_LIMIT_MS });
    const isThere = await ward.look<true>(
      `chain at ${rpc.url}`,
      'check its address under rpc, and whether the node is up',
      async () => {
        const chainId = BigInt((await rpc.call('eth_chainId', [])) as string);
        return [good(`chain ${chainId}`), true];
      },
    );
    if (isThere) await ward.look('clock', "set the machine's clock by NTP", async () => [await checkClock(rpc, nowMs)]);
  }
}

/**
 * Looks at a job's contracts, and whether they let this account take part and be paid.
 *
 * @returns the job, where it is there
 */
export async function lookAtJob(
  ward: Ward,
  urls: readonly string[],
  { job: anchor, vault }: JobConfig,
  wallet: Signer | undefined,
): Promise<JobOnChain | undefined> {
  const rpc = connectRpc({ urls, timeoutMs: ANSWER_LIMIT_MS });
  const found = await ward.look<JobOnChain>(
    'job',
    "ask the job's operator for the addresses, and name a node of its chain",
    async () => {
      const ledger = await connectLedger({ rpc, anchor, ...(vault === undefined ? {} : { vault }) });
      const facts = await ledger.facts();
      const round = await ledger.latestRound();
      return [
        good(`job ${facts.job} on chain ${facts.chainId}, ${round} of ${facts.maxRounds} rounds anchored`),
        { ledger, facts, rpc },
      ];
    },
  );
  if (found && wallet) {
    await ward.look(
      'coins',
      `send coins of this chain to ${wallet.address}, or let somebody else claim for you`,
      async () => {
        const wei = await found.ledger.weiOf(wallet.address);
        const message = `${wallet.address} holds ${Number(wei) / 1e18} coins`;
        return [wei === 0n ? warning(`${message}: it cannot pay for staking or claiming`) : good(message)];
      },
    );
    if (hasCourt(found.facts)) {
      await ward.look('stake', `fedanchor stake add --job ${anchor}`, async () => [await checkStake(found, wallet)]);
    }
  }
  return found;
}

/** Looks whether a job's court is this product's code, on the terms of the manifest. */
export async function lookAtCourt(
  ward: Ward,
  { facts: { anchor, roster, arbiter, ...facts }, rpc }: JobOnChain,
  agreed: CourtTerms | undefined,
): Promise<void> {
  if (!hasCourt({ roster, ...facts })) return;
  await ward.look('court', 'do not stake, and ask its operator', async () => {
    await verifyCourt(rpc, { anchor, stakes: roster, disputes: arbiter }, agreed);
    return [good('stakes and disputes are kept by the code of this version')];
  });
}

function hasCourt({ roster }: Pick<JobFacts, 'roster'>): boolean {
  return !/^0x0*$/.test(roster);
}

async function checkStake({ ledger, facts, rpc }: JobOnChain, { address }: Signer): Promise<Outcome> {
  const stakes = await connectStakes({ rpc, stakes: facts.roster });
  const [terms, { amount }] = await Promise.all([stakes.terms(), stakes.stakeOf(address)]);
  const message = `${address} has staked ${amount} of at least ${terms.minStake}`;
  return (await stakes.isEligible(address, await ledger.chainTimeS()))
    ? good(message)
    : bad(`${message}: it may not take part`);
}

/** A chain's latest block may be old where nothing happens; one from the future says that this machine is behind. */
async function checkClock(rpc: Rpc, nowMs: number): Promise<Outcome> {
  const block = (await rpc.call('eth_getBlockByNumber', ['latest', false])) as { readonly timestamp: string };
  const aheadMs = Number(block.timestamp) * 1000 - nowMs;
  if (aheadMs > MOST_SKEW_MS) return bad(`this machine is ${Math.round(aheadMs / 1000)} s behind the chain's clock`);
  if (aheadMs >= -MOST_SKEW_MS) return good(`within ${MOST_SKEW_MS / 1000} s of the chain's clock`);
  const message = `the latest block is ${Math.round(-aheadMs / 1000)} s old: the chain is quiet, or this machine's clock is ahead`;
  return warning(message, "compare the machine's clock with NTP, and the node with another");
}
