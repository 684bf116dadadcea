import type { Hex } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';

/** A revert as the contract declared it. */
export interface Revert {
  /** Name of the custom error, `Error` for a text, `Panic` for a failed assertion, or `unknown`. */
  readonly errorName: string;
  /** The error's arguments by name, as text. */
  readonly errorArguments: Readonly<Record<string, string>>;
}

const REVERTING = [
  ...(['RoundAnchor', 'RewardVault', 'FedToken', 'StakeManager', 'Disputes', 'Deployer'] as const),
  ...(['FedGovernor', 'FedTimelock', 'Params', 'Registry'] as const),
];

/** Reads the data of a revert with the errors that this product's contracts and OpenZeppelin declare. */
export function decodeRevert(data: Hex): Revert {
  for (const name of REVERTING) {
    const parsed = data.length >= 10 ? loadArtifact(name).abi.parseError(data) : null;
    if (parsed === null) continue;
    const errorArguments: Record<string, string> = {};
    parsed.fragment.inputs.forEach((input, index) => {
      errorArguments[input.name || String(index)] = String(parsed.args[index]);
    });
    return { errorName: parsed.name, errorArguments };
  }
  return { errorName: 'unknown', errorArguments: data === '0x' ? {} : { data } };
}

/** A revert in one line, such as `RoundAnchorOutOfOrder(round: 3)`. */
export function describeRevert(revert: Revert): string {
  const parts = Object.entries(revert.errorArguments).map(([name, value]) => `${name}: ${value}`);
  return `${revert.errorName}(${parts.join(', ')})`;
}
