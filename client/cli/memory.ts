import { totalmem } from 'node:os';

/** Memory that this process may use, in bytes: the machine's, or less where its control group says so. */
export function machineMemoryBytes(): number {
  // 0 where nothing constrains it; beyond the machine's where the group has no limit.
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
