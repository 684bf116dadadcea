import { AbiCoder, getCreate2Address, getCreateAddress, keccak256 } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import { singletonAddress } from './singletons.ts';

// Of the proxy that OpenZeppelin's Create3 library creates first.
const PROXY_HASH = '0x57a34f6e879358dd76825d6700df87013ad6a3fb43c0d0c602f70a8772c153bd';

/** Where the Deployer contract puts what `sender` creates under `salt` (32 bytes), lower case: its `addressOf`. */
export function predictedAddress(sender: Hex, salt: Hex): Hex {
  const ownSalt = keccak256(AbiCoder.defaultAbiCoder().encode(['address', 'bytes32'], [sender, salt]));
  const from = getCreate2Address(singletonAddress('Deployer'), ownSalt, PROXY_HASH);
  return getCreateAddress({ from, nonce: 1 }).toLowerCase() as Hex;
}
