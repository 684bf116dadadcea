import type { OutboxNotice } from '../contracts/outbox/notices.ts';
import type { Log } from './log.ts';

/** Writes what the sender of transactions tells into the log. */
export function tellNotice(log: Log, notice: OutboxNotice): void {
  const { message, level, data, ...fields } = notice;
  log[level]({ ...fields, ...data }, message);
}
