import { keccak256 } from 'ethers';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/bytes.ts';
import { CodecError, canonicalJson, type Json } from '../../../shared/codec.ts';
import { jobTerms } from '../../../shared/round/job-terms.ts';
import {
  decodeManifest,
  encodeManifest,
  ManifestError,
  manifestHash,
  parseManifest,
} from '../../../shared/round/manifest.ts';
import { fixedPlanHash } from '../../../shared/round/plan.ts';
import { exampleManifest, exampleManifestJson } from './example-manifest.ts';
import { SERVER_STEPS } from './server-steps.ts';

type Path = readonly (string | number)[];

/** The example with one value replaced; `undefined` removes it. */
function withValue(path: Path, value: unknown): Record<string, unknown> {
  const manifest = structuredClone(exampleManifestJson());
  let at = manifest as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  const last = path.at(-1) as string | number;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return manifest;
}

function refusalOf(value: unknown): ManifestError {
  try {
    parseManifest(value);
  } catch (error) {
    if (error instanceof ManifestError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('parseManifest', () => {
  const wrong: [Path, unknown][] = [
    [['version'], 2],
    [['name'], ''],
    [['name'], 7],
    [['tensors'], []],
    [['tensors', 1, 'name'], ''],
    [['tensors', 0, 'shape'], [0]],
    [['tensors', 0, 'shape'], [1.5]],
    [['tensors', 0, 'fractionBits'], 31],
    [['tensors', 0, 'fractionBits'], -1],
    [['tensors', 0, 'preScaleBits'], 17],
    [['task', 'kind'], ''],
    [['task', 'architecture'], undefined],
    [['task', 'training'], () => 1],
    [['aggregation', 'rule', 'rule'], ''],
    [['aggregation', 'rule', 'f'], -1],
    [['aggregation', 'rule', 'pre'], 'NNM'],
    [['aggregation', 'rule', 'params'], { m: true }],
    [['aggregation', 'sampleCap'], 0],
    [['aggregation', 'serverStep', 'name'], 'FedProx'],
    [['aggregation', 'serverStep', 'learningRate'], 0],
    [['aggregation', 'serverStep', 'learningRate'], 2 ** 20 + 1],
    [['rounds'], 0],
    [['rounds'], 2 ** 24],
    [['participation', 'admission'], 'everyone'],
    [['participation', 'admission'], ['0xAA']],
    [['participation', 'expected'], 0],
    [['participation', 'quorum'], 1.5],
    [['participation', 'deadlineMs'], Number.NaN],
    [['participation', 'retries'], -1],
    [['rewards', 'pricePerRound'], 5],
    [['rewards', 'pricePerRound'], '05'],
    [['rewards', 'pricePerRound'], '-1'],
    [['rewards', 'score'], 'popularity'],
    [['chain', 'windowTicks'], 2 ** 16],
    [['disclosure'], 'secret'],
    [['retentionS'], -1],
    [['initialUpdateBits'], 31],
    [['initialModelRoot'], '0x11'],
    [['initialModelRoot'], `0x${'AA'.repeat(32)}`],
    [['seedCommitment'], undefined],
  ];

  it.each(wrong)('names the field %j when it is %j', (path, value) => {
    const error = refusalOf(withValue(path, value));
    expect(error.code).toBe('manifest/invalid');
    // A union such as `admission`, and members of a record or a list, may be named as a whole.
    expect([error.data['field'], path.join('.')].sort()[1]).toContain(path.join('.'));
    expect(error.message).toContain(`"${error.data['field']}"`);
  });

  it.each(Object.keys(exampleManifestJson()))('does not do without "%s"', (name) => {
    expect(refusalOf(withValue([name], undefined)).message).toContain(`"${name}"`);
  });

  it('refuses members it does not know, wherever they stand, naming them', () => {
    expect(refusalOf({ ...exampleManifestJson(), extra: 1 }).message).toContain('extra');
    for (const path of [['aggregation'], ['aggregation', 'rule'], ['participation'], ['tensors', 0]] as Path[]) {
      expect(refusalOf(withValue([...path, 'extra'], 1)).message).toContain('extra');
    }
  });

  it.each([null, undefined, 1, 'manifest', [], new Map()])('refuses %s', (value) => {
    expect(refusalOf(value).code).toBe('manifest/invalid');
  });

  it('fills in the defaults of a tensor', () => {
    const parsed = parseManifest(withValue(['tensors'], [{ name: 'w', shape: [2] }]));
    expect(parsed.tensors).toEqual([{ name: 'w', shape: [2], fractionBits: 24, preScaleBits: 0 }]);
  });
});

describe("a manifest's bytes", () => {
  it('round-trip and have one hash', () => {
    const manifest = exampleManifest();
    const bytes = encodeManifest(manifest);
    expect(decodeManifest(bytes)).toEqual(manifest);
    expect(encodeManifest(decodeManifest(bytes))).toEqual(bytes);
    expect(manifestHash(bytes)).toBe(keccak256(bytes));
    expect(jobTerms(manifest).job).toBe(keccak256(bytes));
  });

  it('are refused in any other spelling', () => {
    const text = canonicalJson(exampleManifestJson() as Json);
    const encode = (other: string) => new TextEncoder().encode(other);
    for (const other of [` ${text}`, `\ufeff${text}`, JSON.stringify(exampleManifestJson(), null, 1)]) {
      expect(() => decodeManifest(encode(other))).toThrow(CodecError);
    }
    expect(() => decodeManifest(encode('{}'))).toThrow(ManifestError);
  });
});

describe('fixedPlanHash', () => {
  it('changes with everything that every plan repeats, and with nothing else', () => {
    const base = fixedPlanHash(exampleManifest());
    const changes: [Path, unknown][] = [
      [['aggregation', 'rule', 'rule'], 'Median'],
      [['aggregation', 'rule', 'pre'], ['NNM']],
      [['aggregation', 'rule', 'f'], 2],
      [['aggregation', 'rule', 'params'], { m: 1 }],
      [['aggregation', 'sampleCap'], 999],
      [['aggregation', 'serverStep', 'learningRate'], 65535],
      ...SERVER_STEPS.map((step): [Path, unknown] => [['aggregation', 'serverStep'], step]),
      ...SERVER_STEPS.flatMap((step) =>
        Object.entries(step).flatMap(([name, value]): [Path, unknown][] =>
          typeof value === 'number' ? [[['aggregation', 'serverStep'], { ...step, [name]: value - 1 }]] : [],
        ),
      ),
      [['seedCommitment'], `0x${'23'.repeat(32)}`],
    ];
    const hashes = changes.map(([path, value]) => fixedPlanHash(parseManifest(withValue(path, value))));
    expect(new Set([base, ...hashes]).size).toBe(changes.length + 1);
    expect(fixedPlanHash(parseManifest(withValue(['rounds'], 6)))).toBe(base);
  });

  it('hashes eight words', () => {
    const zero = toHex(new Uint8Array(32));
    expect(fixedPlanHash(exampleManifest({ seedCommitment: zero }))).toMatch(/^0x[0-9a-f]{64}$/);
  });
});
