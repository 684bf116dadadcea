import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../shared/bytes.ts';
import { CodecError, canonicalJson, type Json } from '../../../shared/codec.ts';
import { DocumentError, decodeDocument, encodeDocument, type RoundDocument } from '../../../shared/round/document.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex);
const count = fc.nat();
const big = fc.bigInt(-(10n ** 70n), 10n ** 70n);

const document: fc.Arbitrary<RoundDocument> = fc.record({
  job: bytes(32),
  plan: fc.record({
    round: count,
    attempt: count,
    parentRoot: bytes(32),
    updateBits: count,
    seedIndex: count,
    seed: bytes(32),
  }),
  contributions: fc.array(
    fc.record({
      participant: bytes(20),
      updateRoot: bytes(32),
      samples: count,
      largestMagnitude: count,
      datasetCommitment: bytes(32),
      signature: bytes(65),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  gram: fc.array(fc.array(big, { maxLength: 4 }), { maxLength: 4 }),
  weights: fc.option(fc.array(count, { maxLength: 4 })),
  scores: fc.array(big, { maxLength: 4 }),
  rewards: fc.array(fc.record({ account: bytes(20), cumulative: big }), { maxLength: 4 }),
});

/** Plain JSON of a document, to be damaged. */
function jsonOf(value: RoundDocument): Record<string, Json> {
  return JSON.parse(new TextDecoder().decode(encodeDocument(value)));
}

const encodeJson = (value: Json) => utf8(canonicalJson(value));

describe('round document', () => {
  it('round-trips, integers of any width included', () => {
    fc.assert(
      fc.property(document, (value) => {
        const encoded = encodeDocument(value);
        expect(decodeDocument(encoded)).toEqual(value);
        expect(encodeDocument(decodeDocument(encoded))).toEqual(encoded);
      }),
    );
  });

  it('has one encoding, whatever order its members were set in', () => {
    fc.assert(
      fc.property(document, (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse()) as unknown as RoundDocument;
        expect(encodeDocument(reversed)).toEqual(encodeDocument(value));
      }),
      { numRuns: 20 },
    );
  });

  it('is refused with a member missing, unknown or of another type, the field named', () => {
    fc.assert(
      fc.property(document, (value) => {
        for (const name of Object.keys(jsonOf(value))) {
          const { [name]: _, ...rest } = jsonOf(value);
          expect(() => decodeDocument(encodeJson(rest))).toThrow(new RegExp(`field "${name}"`));
          expect(() => decodeDocument(encodeJson({ ...rest, [name]: true }))).toThrow(DocumentError);
        }
        expect(() => decodeDocument(encodeJson({ ...jsonOf(value), extra: 1 }))).toThrow(DocumentError);
      }),
      { numRuns: 10 },
    );
  });

  it.each(['1.0', '01', '-0', '+1', '', ' 1', '1e3', '0x1'])('refuses %j for an integer', (text) => {
    const [value] = fc.sample(document, { numRuns: 1, seed: 1 }) as [RoundDocument];
    expect(() => decodeDocument(encodeJson({ ...jsonOf(value), scores: [text] }))).toThrow(DocumentError);
  });

  it('never throws anything without a code, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map(utf8),
          fc.jsonValue().map((json) => encodeJson(json as Json)),
        ),
        (junk) => {
          try {
            decodeDocument(junk);
            expect.fail('junk was accepted');
          } catch (error) {
            expect(error instanceof CodecError || error instanceof DocumentError).toBe(true);
          }
        },
      ),
    );
  });
});
