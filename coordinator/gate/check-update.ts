import { toHex } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import { int16Vector, updateTree } from '../../shared/commitments/vector-trees.ts';
import { MAX_UPDATE } from '../../shared/fixed-point/constants.ts';
import { dirtyPadding, type Layout } from '../../shared/fixed-point/layout.ts';
import { largestMagnitude } from '../../shared/fixed-point/update.ts';
import type { RefusalCode } from './refusal.ts';

/**
 * Checks the bytes of an update against the job's layout and its sender's statement.
 *
 * @param layout - the job's layout
 * @param statement - what the sender signed
 * @param bytes - the update, little-endian int16
 * @returns why the update is rejected, or undefined
 */
export function checkUpdate(layout: Layout, statement: UpdateStatement, bytes: Uint8Array): RefusalCode | undefined {
  if (bytes.length !== layout.dimension * 2) return 'gate/wrong-length';
  if (toHex(updateTree(bytes).root) !== statement.updateRoot) return 'gate/root-mismatch';
  const update = int16Vector(bytes);
  const magnitude = largestMagnitude(update);
  if (magnitude > MAX_UPDATE) return 'gate/out-of-range';
  if (dirtyPadding(layout, update) >= 0) return 'gate/dirty-padding';
  if (magnitude !== statement.largestMagnitude) return 'gate/wrong-magnitude';
  return undefined;
}
