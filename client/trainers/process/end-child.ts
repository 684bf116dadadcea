import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { killMarked, signalGroup } from './process-tree.ts';

/** How long the output of a program that has ended is waited for: one that left its group may hold it open. */
export const AFTERGLOW_MS = 2_000;

/**
 * Ends a program: asks its group to end, and kills it and whoever has left the group when the grace is over. A polite end
 * closes its input first and gives it the same grace to end by itself.
 *
 * @param child - the leader of the group
 * @param mark - what its descendants carry in their environment
 * @param graceMs - how long it may take for each step
 * @param isPolite - whether it may go on with what it is doing
 */
export async function endChild(
  child: ChildProcessWithoutNullStreams,
  mark: string,
  graceMs: number,
  isPolite: boolean,
): Promise<void> {
  child.stdin.end();
  // Nothing it says counts any more, and a program that writes without end is stopped by having no reader.
  child.stdout.destroy();
  const group = child.pid;
  if (group === undefined) return;
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const wait = (): Promise<void> => within(graceMs, child, 'exit', hasEnded());
  if (isPolite) await wait();
  if (!hasEnded()) {
    signalGroup(group, 'SIGTERM');
    await wait();
  }
  if (!hasEnded()) {
    signalGroup(group, 'SIGKILL');
    await wait();
  }
  await killMarked(mark);
  await within(AFTERGLOW_MS, child.stderr, 'close', child.stderr.closed);
  // Where this process itself stood still for that long, what was written meanwhile is there and only not read yet.
  await nextTurn();
  child.stderr.destroy();
}

/** Waits for an event that has not happened yet, no longer than it is told. */
async function within(limitMs: number, emitter: EventEmitter, event: string, hasHappened: boolean): Promise<void> {
  if (hasHappened) return;
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(emitter, event, { signal }), delay(limitMs, undefined, { signal })]).finally(() =>
    waiting.abort(),
  );
}
