import type { Boundary } from './boundaries.ts';

/** Every boundary between two effects of a client; see coordinator-points.ts. */
export const CLIENT_BOUNDARIES: readonly Boundary[] = [
  ['ask: session.challenge | before'],
  ['ask: session.open | before', 'ask: session.challenge | after'],
  ['fetch: blob | before', 'ask: session.open | after'],
  ['fetch: blob | after'],
  ['ask: job.join | before'],
  ['ask: job.join | after'],
  ['journal: what was signed is looked up | before'],
  ['journal: what was signed is looked up | after'],
  ['evaluate | before'],
  ['ask: metrics.report | before', 'evaluate | after'],
  ['ask: metrics.report | after'],
  ['train | before'],
  ['journal: statement is signed | before', 'train | after'],
  ['disk: half of a signed update written | torn'],
  ['disk: sync of a signed update | before'],
  ['disk: rename of a signed update | before'],
  ['disk: half of a statement written | torn'],
  ['disk: sync of a statement | before'],
  ['disk: link of a statement | before'],
  ['disk: half of a signature written | torn'],
  ['disk: sync of a signature | before'],
  ['disk: rename of a signature | before'],
  ['ask: update.offer | before', 'journal: statement is signed | after'],
  ['send: part 1 | before', 'ask: update.offer | after'],
  ['ask: update.submit | before', 'send: part 1 | after'],
  ['journal: receipt is kept | before', 'ask: update.submit | after'],
  ['disk: half of a receipt written | torn'],
  ['disk: sync of a receipt | before'],
  ['disk: rename of a receipt | before'],
  ['journal: receipt is kept | after'],
];

/** Of a client whose update goes in two parts. */
export const PART_BOUNDARIES: readonly string[] = ['send: part 1 | after', 'send: part 2 | after'];
