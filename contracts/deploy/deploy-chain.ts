import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Hex, toHex, utf8 } from '../../shared/bytes.ts';
import { type ContractName, loadArtifact } from '../artifacts.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';
import type { Rpc } from '../rpc.ts';
import { predictedAddress } from './predicted-address.ts';
import { settingsHash } from './settings-hash.ts';
import { ensureSingletons, SINGLETONS, singletonAddress } from './singletons.ts';
import { createThroughDeployer } from './through-deployer.ts';

/** What the token's holders decide about jobs to come; names and bounds are those of the contract Params. */
export interface ParamsValues {
  /** Shortest challenge window of a job, in seconds. */
  readonly minWindowS: number;
  /** Longest challenge window of a job, in seconds. */
  readonly maxWindowS: number;
  /** Shortest time for a move in a dispute, in seconds. */
  readonly minAnswerS: number;
  /** Longest time for a move in a dispute, in seconds. */
  readonly maxAnswerS: number;
  /** What a conviction must cost, in 1/10,000 of all rewards that a rewind can erase. */
  readonly slashCoverBps: number;
  /** Greatest bond of a challenger, in 1/10,000 of what a conviction costs. */
  readonly challengerBondBps: number;
  /** Part of a licence's price that goes to the timelock, in 1/10,000. */
  readonly feeBps: number;
  /** Whether jobs without a court are refused. */
  readonly courtRequired: boolean;
  /** Locked by whoever registers a job until it has ended, in the voting token's smallest unit. */
  readonly registrationBond: bigint;
}

/** How votes are held. */
export interface GovernorSettings {
  /** Blocks between a proposal and the block whose votes count. */
  readonly votingDelay: number;
  /** Blocks in which to vote. */
  readonly votingPeriod: number;
  /** Votes that a proposer needs, in the token's smallest unit. */
  readonly proposalThreshold: bigint;
  /** Part of all votes that must be for or abstaining, in percent. */
  readonly quorumPercent: number;
  /** Blocks for which a vote goes on at least after its quorum was reached. */
  readonly lateQuorumExtension: number;
}

/** What a chain's governance is created with. */
export interface ChainSettings {
  /** A votes token (ERC-5805) that is there already; left out, a FedToken is created. */
  readonly token?: Hex;
  /** Who receives the new token's supply. */
  readonly treasury: Hex;
  /** Supply of the new token in its smallest unit. */
  readonly supply: bigint;
  /** How votes are held. */
  readonly governor: GovernorSettings;
  /** How long what was voted waits, in seconds. */
  readonly timelockDelayS: number;
  /** The first parameters. */
  readonly params: ParamsValues;
  /** Names of the rules that registered jobs may use. */
  readonly rules: readonly string[];
}

/** A contract that {@link deployChain} has seen to. */
export interface DeployedContract {
  /** Its name in the sources. */
  readonly name: ContractName;
  /** Where it is, lower case. */
  readonly address: Hex;
  /** Arguments of its constructor, ABI-encoded; `0x` where it takes none. */
  readonly constructorArguments: Hex;
  /** Its creation, if it was created now. */
  readonly receipt?: ReceiptSummary;
}

const GOVERNANCE = ['FedToken', 'FedTimelock', 'FedGovernor', 'Params', 'Registry'] as const;

/**
 * Deploys all that a chain needs once: the contracts without state, a token, and the governance that owns the parameters.
 * Addresses follow from the wallet, the settings and the code; what is there already is left alone.
 *
 * @returns every contract, in the order of creation
 * @throws DeployError `deploy/no-factory`, `deploy/elsewhere`; and what {@link Outbox.send} throws
 */
export async function deployChain(rpc: Rpc, outbox: Outbox, settings: ChainSettings): Promise<DeployedContract[]> {
  const { token, treasury, supply, governor, timelockDelayS, params, rules } = settings;
  const salt = (name: ContractName) => settingsHash([...GOVERNANCE, ...SINGLETONS], { name, ...settings });
  const at = (name: ContractName) => predictedAddress(outbox.address, salt(name));
  const votes = token?.toLowerCase() ?? at('FedToken');
  const deployed: DeployedContract[] = [];
  const singletons = await ensureSingletons(rpc, outbox);
  for (const name of SINGLETONS) deployed.push(entry(name, singletonAddress(name), [], singletons[name]));

  const parameters: Readonly<Record<(typeof GOVERNANCE)[number], readonly unknown[]>> = {
    FedToken: [treasury, supply],
    FedTimelock: [timelockDelayS, at('FedGovernor')],
    FedGovernor: [{ ...governor, token: votes, timelock: at('FedTimelock') }],
    Params: [at('FedTimelock'), params, rules.map((rule) => toHex(keccak_256(utf8(rule))))],
    Registry: [at('Params'), votes],
  };
  for (const name of GOVERNANCE) {
    if (name === 'FedToken' && token !== undefined) continue;
    const creation = { name, salt: salt(name), address: at(name), parameters: parameters[name] };
    const receipt = await createThroughDeployer(rpc, outbox, creation);
    deployed.push(entry(name, at(name), parameters[name], receipt));
  }
  return deployed;
}

function entry(
  name: ContractName,
  address: Hex,
  parameters: readonly unknown[],
  receipt: ReceiptSummary | undefined,
): DeployedContract {
  const constructorArguments = loadArtifact(name).abi.encodeDeploy(parameters) as Hex;
  return { name, address, constructorArguments, ...(receipt === undefined ? {} : { receipt }) };
}
