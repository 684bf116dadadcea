import { id as keccakOfText } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import { type ContractName, loadArtifact } from '../artifacts.ts';
import type { ParamsValues } from '../deploy/deploy-chain.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';
import { type GovernanceAddresses, type Proposal, type ProposedCall, wordsOf } from './governance.ts';

/** How to vote, in the order of OpenZeppelin's VoteType. */
export const SUPPORT = ['against', 'for', 'abstain'] as const;

/** One of {@link SUPPORT}. */
export type Support = (typeof SUPPORT)[number];

/**
 * The write side of a chain's governance. Each method sends at most once for the same arguments, and throws what
 * {@link Outbox.send} throws.
 */
export interface GovernanceWriter {
  /** Gives the wallet's votes to an account, its own to count them itself. */
  delegate(account: Hex, purpose: string): Promise<ReceiptSummary>;
  /** Makes a proposal. */
  propose(calls: readonly ProposedCall[], description: string): Promise<ReceiptSummary>;
  /** Votes, once for a proposal. */
  vote(id: bigint, support: Support, reason: string): Promise<ReceiptSummary>;
  /** Lets what was voted for wait (anyone). */
  queue(proposal: Proposal): Promise<ReceiptSummary>;
  /** Does what was voted for and has waited (anyone). */
  execute(proposal: Proposal): Promise<ReceiptSummary>;
}

/** Writes to a chain's governance through an outbox. */
export function createGovernanceWriter(
  outbox: Outbox,
  { governor, token }: Pick<GovernanceAddresses, 'governor' | 'token'>,
): GovernanceWriter {
  const send = (id: string, contract: ContractName, to: Hex, name: string, parameters: readonly unknown[]) =>
    outbox.send({
      id: `${id}@${to}`,
      to,
      data: loadArtifact(contract).abi.encodeFunctionData(name, parameters) as Hex,
    });
  const govern = (id: string, name: string, parameters: readonly unknown[]) =>
    send(id, 'FedGovernor', governor, name, parameters);
  return {
    delegate: (account, purpose) => send(`delegate:${purpose}`, 'FedToken', token, 'delegate', [account]),
    propose: (calls, description) => {
      const [targets, values, data] = wordsOf(calls, description);
      return govern(`propose:${keccakOfText(description)}`, 'propose', [targets, values, data, description]);
    },
    vote: (id, support, reason) => govern(`vote:${id}`, 'castVoteWithReason', [id, SUPPORT.indexOf(support), reason]),
    queue: ({ id, calls, description }) => govern(`queue:${id}`, 'queue', wordsOf(calls, description)),
    execute: ({ id, calls, description }) => govern(`execute:${id}`, 'execute', wordsOf(calls, description)),
  };
}

/** The call that puts new parameters in force. */
export function setParamsCall(params: Hex, values: ParamsValues): ProposedCall {
  return paramsCall(params, 'set', [values]);
}

/** The call that allows or forbids a rule for jobs to come. */
export function setRuleCall(params: Hex, rule: string, allowed: boolean): ProposedCall {
  return paramsCall(params, 'setRule', [keccakOfText(rule), allowed]);
}

function paramsCall(target: Hex, name: string, parameters: readonly unknown[]): ProposedCall {
  return { target, value: 0n, data: loadArtifact('Params').abi.encodeFunctionData(name, parameters) as Hex };
}
