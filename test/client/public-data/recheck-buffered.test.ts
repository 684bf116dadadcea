import { expect, it } from 'vitest';
import { recheck } from '../../../client/public-data/recheck.ts';
import { exampleManifestJson } from '../../shared/round/example-manifest.ts';
import { createHistory, memoryBlobs } from '../auditor/history.ts';

it('says of a buffered job that its trainings cannot be repeated, before anything is fetched for it', async () => {
  const source = {
    ...{ kind: 'published', shards: 1, exact: true },
    files: [{ name: 'rows.csv', sha256: `0x${'33'.repeat(32)}`, bytes: 10 }],
  };
  const history = await createHistory({
    rounds: 1,
    replace: {
      participation: { ...(exampleManifestJson()['participation'] as object), buffer: { size: 5, maxStaleness: 1 } },
      task: { kind: 'classification', architecture: null, training: null, data: { source } },
    },
  });
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const ledger = { facts: async () => ({ ...history.facts, coordinator: null }), records: async () => history.records };
  const rechecking = recheck({
    ...{ ledger: ledger as never, blobs: memoryBlobs(history.blobs), places: {} as never, round: 1 },
    ...{ onVerdict: () => {}, log: quiet, signal: new AbortController().signal },
  });
  await expect(rechecking).rejects.toMatchObject({ code: 'recheck/buffered', data: { round: 1 } });
});
