import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecError, canonicalJson, decodeCanonicalJson, type Json, parseCanonicalJson } from '../../shared/codec.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof CodecError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

function double(bits: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits}`));
  return view.getFloat64(0);
}

describe('canonicalJson, by the examples of RFC 8785', () => {
  it('serializes the sample of section 3.2.2', () => {
    const sample =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
    expect(canonicalJson(JSON.parse(sample))).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts keys by UTF-16 code units, as in section 3.2.3', () => {
    const sample = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(
      canonicalJson(sample)
        .match(/:"[^"]*/g)
        ?.map((value) => value.slice(2)),
    ).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the number %s of appendix B as %s', (bits, text) => {
    expect(canonicalJson(double(bits))).toBe(text);
  });

  it.each([Number.NaN, Infinity, -Infinity, undefined, () => 1, Symbol('x')])(
    'refuses what JSON has not: %s',
    (value) => {
      expect(codeOf(() => canonicalJson(value as unknown as Json))).toBe('codec/not-json');
      expect(codeOf(() => canonicalJson({ a: [value as unknown as Json] }))).toBe('codec/not-json');
    },
  );

  it('does not depend on the order in which members were set, and round-trips', () => {
    const key = fc.string({ unit: 'binary-ascii', maxLength: 4 });
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), (value) => {
        const text = canonicalJson(value as Json);
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed as Json)).toBe(text);
        expect(canonicalJson(parseCanonicalJson(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('keeps "__proto__" an ordinary member', () => {
    const value = parseCanonicalJson('{"__proto__":{"polluted":true},"a":1}');
    expect(canonicalJson(value)).toBe('{"__proto__":{"polluted":true},"a":1}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('parseCanonicalJson', () => {
  it.each([
    '{"b":1,"a":2}',
    '{"a": 1}',
    '[1 ]',
    '1.0',
    '1E2',
    '-0',
    '"\\u0041"',
    '"\\/"',
    ' 1',
    '1\n',
    '{"a":1,"a":1}',
  ])('refuses the other spelling %j', (text) => {
    expect(codeOf(() => parseCanonicalJson(text))).toBe('codec/not-canonical');
  });

  it.each(['', '{', 'nul', '01', "'a'", '[1,]', '{a:1}', 'NaN'])('refuses %j, which is no JSON', (text) => {
    expect(codeOf(() => parseCanonicalJson(text))).toBe('codec/not-json');
  });

  it('has a limit of depth of its own', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(parseCanonicalJson(nested(200))).toBeDefined();
    expect(codeOf(() => parseCanonicalJson(nested(202)))).toBe('codec/too-deep');
    expect(codeOf(() => parseCanonicalJson(nested(20_000)))).toBe('codec/too-deep');
  });
});

describe('decodeCanonicalJson', () => {
  const encode = (text: string) => new TextEncoder().encode(text);

  it('reads UTF-8', () => {
    expect(decodeCanonicalJson(encode('["€😀"]'))).toEqual(['€😀']);
  });

  it('refuses a byte-order mark and bytes that are not UTF-8, which a lenient reader takes for other bytes', () => {
    expect(codeOf(() => decodeCanonicalJson(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)))).toBe('codec/not-json');
    expect(codeOf(() => decodeCanonicalJson(Uint8Array.of(0x22, 0xff, 0x22)))).toBe('codec/not-json');
    expect(decodeCanonicalJson(encode('"\ufffd"'))).toBe('\ufffd');
  });
});
