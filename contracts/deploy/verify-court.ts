import type { Hex } from '../../shared/bytes.ts';
import type { CourtTerms } from '../../shared/round/court-terms.ts';
import { type ContractName, loadArtifact } from '../artifacts.ts';
import { callView } from '../ledger/call.ts';
import type { Rpc } from '../rpc.ts';
import { creationCode } from './creation-code.ts';
import { DeployError } from './deploy-error.ts';
import { hasCode } from './factory.ts';
import { longestDisputeS } from './job-court.ts';
import { singletonAddress } from './singletons.ts';

/** The contracts of a job that hold and move money by verdict. */
export interface CourtContracts {
  /** The job's RoundAnchor, which is trusted. */
  readonly anchor: Hex;
  /** What it names as its roster. */
  readonly stakes: Hex;
  /** What it names as its arbiter. */
  readonly disputes: Hex;
}

const JUDGES = {
  coordinateJudge: 'CoordinateJudge',
  contributionJudge: 'ContributionJudge',
  shareJudge: 'ShareJudge',
  gramJudge: 'GramJudge',
} as const;

/**
 * Holds a job's StakeManager and Disputes to this product's code, judges included, before money is entrusted to them: the
 * constructor is run again at the contract's own address, on the node and without a transaction, and must leave the very
 * code that is there.
 *
 * The node must know state overrides of `eth_call`, as geth, reth, erigon, nethermind, besu and anvil do.
 *
 * @param agreed - the manifest's `court`, where it is at hand: the contracts must have its terms
 * @throws DeployError `deploy/foreign-code`, `deploy/other-terms`; LedgerError
 */
export async function verifyCourt(
  rpc: Rpc,
  { anchor, stakes, disputes }: CourtContracts,
  agreed?: CourtTerms,
): Promise<void> {
  const [[staking], [judging]] = await Promise.all([
    callView(rpc, loadArtifact('StakeManager').abi, stakes, 'terms'),
    callView(rpc, loadArtifact('Disputes').abi, disputes, 'terms'),
  ]);
  for (const [field, name] of Object.entries(JUDGES)) {
    const address = singletonAddress(name);
    if (String(judging[field]).toLowerCase() !== address || !(await hasCode(rpc, address)))
      throw foreign(name, judging[field]);
  }
  const same = (a: string, b: Hex) => a.toLowerCase() === b.toLowerCase();
  if (!same(staking.anchor, anchor)) throw foreign('StakeManager', stakes);
  if (!same(judging.anchor, anchor) || !same(judging.stakes, stakes)) throw foreign('Disputes', disputes);
  await requireCodeOf(rpc, 'StakeManager', stakes, staking);
  await requireCodeOf(rpc, 'Disputes', disputes, judging);
  if (agreed === undefined) return;
  const wanted = { ...agreed, longestDisputeS: longestDisputeS(agreed) };
  for (const name of [
    'minStake',
    'longestRoundS',
    'longestDisputeS',
    'faultBps',
    'proverBps',
    'compensationBps',
  ] as const) {
    requireSame(name, wanted[name], staking[name]);
  }
  for (const name of ['answerS', 'challengerBond', 'slashAmount'] as const)
    requireSame(name, wanted[name], judging[name]);
}

async function requireCodeOf(rpc: Rpc, name: ContractName, address: Hex, terms: unknown): Promise<void> {
  const override = { [address]: { code: creationCode(name, [terms]) } };
  const [made, found] = await Promise.all([
    rpc.call('eth_call', [{ to: address, data: '0x' }, 'latest', override]),
    rpc.call('eth_getCode', [address, 'latest']),
  ]);
  if (made !== found) throw foreign(name, address);
}

function requireSame(name: string, wanted: string | number, found: bigint): void {
  if (String(wanted) === String(found)) return;
  const message = `the job's contracts have ${name} ${found}, its manifest says ${wanted}: do not take part, and ask its operator`;
  throw new DeployError('deploy/other-terms', message, { name, wanted: String(wanted), found: String(found) });
}

function foreign(name: string, address: string): DeployError {
  const message = `what the job has as its ${name}, ${address}, is not this version's: do not entrust it with money, or use the version of the product that the job was created with`;
  return new DeployError('deploy/foreign-code', message, { name, address });
}
