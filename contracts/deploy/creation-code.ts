import { concatBytes, fromHex, type Hex, toHex } from '../../shared/bytes.ts';
import { type ContractName, loadArtifact } from '../artifacts.ts';

/** A contract's creation code with the arguments of its constructor. */
export function creationCode(name: ContractName, parameters: readonly unknown[] = []): Hex {
  const { abi, bytecode } = loadArtifact(name);
  return toHex(concatBytes(fromHex(bytecode), fromHex(abi.encodeDeploy(parameters))));
}
