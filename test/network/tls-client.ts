// A whole client in a process of its own: which authorities are trusted is decided when a process starts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../../client/run.ts';
import { createWallet } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { createToyTrainer } from '../client/toy-job.ts';

const [coordinatorUrl = '', key = '', facts = ''] = process.argv.slice(2);
const stateDir = await mkdtemp(join(tmpdir(), 'fedanchor-tls-'));
const lifetime = new AbortController();
const told = (fields: Readonly<Record<string, unknown>>): void => {
  const reason = String(fields['reason'] ?? fields['error'] ?? '');
  if (reason === '' || lifetime.signal.aborted) return;
  process.stdout.write(`${JSON.stringify({ kind: 'unreachable', reason })}\n`);
  lifetime.abort();
};
const outcome = await createClient({
  coordinatorUrl,
  facts: JSON.parse(facts, (name, value) => (name === 'chainId' ? BigInt(value) : value)),
  signer: createWallet(key as Hex),
  createTrainer: async () => createToyTrainer(),
  stateDir,
  seed: 7,
  log: { debug: () => {}, info: () => {}, warn: told, error: told },
  signal: lifetime.signal,
}).run();
process.stdout.write(`${JSON.stringify({ kind: outcome.kind })}\n`);
await rm(stateDir, { recursive: true, force: true });
