import { describe, expect, test } from 'vitest';
import { closeReport } from '../../../simulations/bench/close-report.ts';
import { ingestReport } from '../../../simulations/bench/ingest-report.ts';

const limits = { treeBytesPerSecond: 300e6, durableWriteBytesPerSecond: 500e6 };
const ingestOptions = { clients: [1], bytes: 1e6, totalBytes: 100e6, repeats: 3 };
const closeOptions = { n: [6], d: [1000], repeats: 3 };
const closing = { acceptedMs: 5, fetchedMs: 40, closeMs: 12, aggregationMs: 10 };
const kernel = { totalMs: 10, ruleMs: 4, gramMs: 3, matrixTreeMs: 2, blockTreesMs: 1 };

describe('the report of ingest', () => {
  const row = { clients: 1, bytes: 100e6, bareMs: [100, 100, 1000], submitMs: [300, 300, 300] };

  test('compares what was measured one after the other, by the median', () => {
    const { text, document } = ingestReport(ingestOptions, limits, [{ ...row, uploadMs: [125, 200, 1000] }]);
    // 100/125, 100/200, 1000/1000: the middle one.
    expect(document['results']).toMatchObject([{ bare: 1e9, verified: 500e6, receipted: 200e6, ratio: 0.8 }]);
    expect(text).toContain('80%');
    expect(text).toContain('met');
  });

  test('says that the target is missed if one number of clients misses it', () => {
    const rows = [
      { ...row, uploadMs: [100, 100, 1000] },
      { ...row, clients: 8, uploadMs: [200, 200, 2000] },
    ];
    expect(ingestReport(ingestOptions, limits, rows).text).toContain('missed with 50%');
  });

  test('states the bound of a server that also hashes on its one thread', () => {
    const { document } = ingestReport(ingestOptions, limits, [{ ...row, bareMs: [1000], uploadMs: [1000] }]);
    // 100 MB/s to carry and 300 MB/s to hash: 75 MB/s for both.
    expect(document['results']).toMatchObject([{ bound: 0.75 }]);
  });
});

describe('the report of close', () => {
  const closings = [
    { ...closing, storedMs: 14, anchoredMs: 30 },
    { ...closing, storedMs: 13, anchoredMs: 28 },
    { ...closing, storedMs: 99, anchoredMs: 200 },
  ];

  test('holds the stored model, not the announced one, to the target', () => {
    const kernels = [kernel, kernel, kernel];
    const { text, document } = closeReport(closeOptions, limits, [{ n: 6, d: 1000, closings, kernels }]);
    expect(document['results']).toMatchObject([{ storedMs: 14, ratio: 1.4, anchoredRatio: 3 }]);
    expect(text).toContain('within 1.50x: met');
  });

  test('splits the way to the stored model into phases', () => {
    const rows = [{ n: 6, d: 1000, closings: closings.slice(0, 1), kernels: [kernel] }];
    const { document } = closeReport(closeOptions, limits, rows);
    expect(document['results']).toMatchObject([{ gateMs: 2, readAndStoreMs: 2, roundFunctionMs: 10, anchorMs: 16 }]);
  });

  test('says by how much the target is missed', () => {
    const slow = { ...kernel, totalMs: 5 };
    const rows = [{ n: 6, d: 1000, closings, kernels: [slow, slow, slow] }];
    expect(closeReport(closeOptions, limits, rows).text).toContain('missed with 2.80x');
  });
});
