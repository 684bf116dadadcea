import { AbiCoder, type Result } from 'ethers';
import { fromHex, type Hex } from '../../shared/bytes.ts';
import { BLOCK } from '../../shared/fixed-point/constants.ts';
import type { RevealedBlock } from '../../shared/openings/diagnosis.ts';
import type { Kind, Subject } from '../../shared/openings/subject.ts';
import { loadArtifact } from '../artifacts.ts';
import type { Rpc } from '../rpc.ts';
import { ANSWER_TYPES } from './court-abi.ts';

/**
 * The block of the matrix that an answer has shown, from the transaction that brought it.
 *
 * @returns undefined for an answer that shows none, or that came through another contract
 */
export async function revealedBlock(
  rpc: Rpc,
  transactionHash: Hex,
  { kind, subject }: { readonly kind: Kind; readonly subject: Subject | undefined },
): Promise<RevealedBlock | undefined> {
  if ((kind !== 'link' && kind !== 'coordinate') || subject === undefined) return undefined;
  const transaction = (await rpc.call('eth_getTransactionByHash', [transactionHash])) as { input: Hex } | null;
  const call = transaction && loadArtifact('Disputes').abi.parseTransaction({ data: transaction.input });
  if (call?.name !== 'answer') return undefined;
  const block =
    subject.kind === 'link'
      ? subject.block
      : subject.kind === 'coordinate'
        ? Math.floor(subject.coordinate / BLOCK)
        : 0;
  try {
    const [answer] = AbiCoder.defaultAbiCoder().decode([ANSWER_TYPES[kind]], call.args[3]);
    const { data, proof } = answer.matrix as { data: Hex; proof: Result };
    return { matrixRoot: call.args[1].record.matrixRoot, block, data: fromHex(data), proof: [...proof] };
  } catch {
    // A coordinate behind the last block was asked for, whose answer shows no leaf.
    return undefined;
  }
}
