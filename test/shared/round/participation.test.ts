import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../shared/bytes.ts';
import { canonicalJson, type Json } from '../../../shared/codec.ts';
import { decodeManifest, encodeManifest, parseManifest } from '../../../shared/round/manifest.ts';
import type { Pace } from '../../../shared/round/participation.ts';
import { exampleManifestJson } from './example-manifest.ts';

const PACE: Pace = { leastMs: 1000, quantilePercent: 90, slackPercent: 200, window: 8, late: 'credited' };

function manifestWith(more: Record<string, unknown>): Record<string, unknown> {
  const manifest = exampleManifestJson();
  return { ...manifest, participation: { ...(manifest['participation'] as object), ...more } };
}

describe('the participation section', () => {
  it('has no defaults: a manifest written without its newer members keeps its bytes, and so its hash', () => {
    const text = canonicalJson(exampleManifestJson() as Json);
    expect(encodeManifest(decodeManifest(utf8(text)))).toEqual(utf8(text));
    const recorded = JSON.parse(
      readFileSync(new URL('../../histories/eventful-job.json', import.meta.url), 'utf8'),
    ) as { manifest: Json };
    expect(encodeManifest(parseManifest(recorded.manifest))).toEqual(utf8(canonicalJson(recorded.manifest)));
  });

  it('keeps what it is given, to the byte', () => {
    const full = manifestWith({ sample: { size: 3, extra: 2 }, pace: PACE, retryPauseMs: 500 });
    const parsed = parseManifest(full);
    expect(parsed.participation).toMatchObject({ sample: { size: 3, extra: 2 }, pace: PACE, retryPauseMs: 500 });
    expect(decodeManifest(encodeManifest(parsed))).toEqual(parsed);
  });

  it('keeps a buffer, to the byte', () => {
    const parsed = parseManifest(manifestWith({ buffer: { size: 3, maxStaleness: 0 } }));
    expect(parsed.participation.buffer).toEqual({ size: 3, maxStaleness: 0 });
    expect(decodeManifest(encodeManifest(parsed))).toEqual(parsed);
  });

  it('refuses a buffer beside a court, and says why', () => {
    const court = {
      ...{ minStake: '1', coordinatorBond: '2', challengerBond: '1', slashAmount: '2', answerS: 60, longestRoundS: 60 },
      ...{ faultBps: 1, proverBps: 0, compensationBps: 0, attestationQuorum: 0, attestationTicks: 0 },
    };
    const json = manifestWith({ buffer: { size: 3, maxStaleness: 1 } });
    expect(() => parseManifest({ ...json, court })).toThrow(/participation.buffer".*court.*parent model/);
    expect(() => parseManifest({ ...manifestWith({}), court })).not.toThrow();
  });

  it.each<[string, Record<string, unknown>]>([
    ['participation.sample.size', { sample: { size: 2, extra: 0 } }],
    ['participation.sample.size', { sample: { size: 0, extra: 0 } }],
    ['participation.sample.extra', { sample: { size: 3 } }],
    ['participation.sample', { sample: { size: 3, extra: 0, more: 1 } }],
    ['participation.pace.leastMs', { pace: { ...PACE, leastMs: 60_001 } }],
    ['participation.pace.quantilePercent', { pace: { ...PACE, quantilePercent: 49 } }],
    ['participation.pace.slackPercent', { pace: { ...PACE, slackPercent: 99 } }],
    ['participation.pace.window', { pace: { ...PACE, window: 0 } }],
    ['participation.pace.late', { pace: { ...PACE, late: 'next-round' } }],
    ['participation.retryPauseMs', { retryPauseMs: 0 }],
    ['participation.buffer.size', { buffer: { size: 2, maxStaleness: 1 } }],
    ['participation.buffer.size', { buffer: { maxStaleness: 1 } }],
    ['participation.buffer.maxStaleness', { buffer: { size: 3 } }],
    ['participation.buffer.maxStaleness', { buffer: { size: 3, maxStaleness: 1001 } }],
    ['participation.buffer', { buffer: { size: 3, maxStaleness: 1, decay: 'sqrt' } }],
    ['participation.buffer', { buffer: { size: 3, maxStaleness: 1 }, sample: { size: 3, extra: 0 } }],
    ['participation.buffer', { buffer: { size: 3, maxStaleness: 1 }, pace: PACE }],
  ])('names %s when it is wrong', (field, more) => {
    expect(() => parseManifest(manifestWith(more))).toThrow(
      expect.objectContaining({ code: 'manifest/invalid', data: { field } }),
    );
  });
});
