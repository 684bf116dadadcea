import fc from 'fast-check';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { Decoder, Encoder, ParserError } from '../../../shared/protocol/parser.ts';

type Packet = Parameters<Encoder['encode']>[0];

function decode(frame: unknown): unknown[] {
  const seen: unknown[] = [];
  const decoder = new Decoder().on('decoded', (packet) => seen.push(packet));
  decoder.add(frame);
  return seen;
}

/** The packets of a frame, or undefined if it was refused; anything but a ParserError fails the test. */
function decodeOrRefuse(frame: unknown): unknown[] | undefined {
  try {
    return decode(frame);
  } catch (error) {
    expect(error).toBeInstanceOf(ParserError);
    return undefined;
  }
}

function isPlain(value: unknown): boolean {
  if (value === null || ['undefined', 'boolean', 'number', 'string'].includes(typeof value)) return true;
  if (value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  return (
    typeof value === 'object' &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(value).every(isPlain)
  );
}

const text = fc.string({ unit: 'binary', maxLength: 12 });
const key = fc.string({ unit: 'grapheme-ascii', maxLength: 8 }).filter((name) => name !== '__proto__');
const payload = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

const id = fc.option(fc.nat(), { nil: undefined });
const record = fc.dictionary(key, payload, { maxKeys: 4, noNullPrototype: true });
const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({ type: fc.constantFrom(0, 1), nsp: text, data: fc.oneof(fc.constant(undefined), record) }),
  fc.record({
    type: fc.constant(2),
    nsp: text,
    data: fc.tuple(text, fc.array(payload, { maxLength: 3 })).map(([name, rest]) => [name, ...rest]),
    id,
  }),
  fc.record({ type: fc.constant(3), nsp: text, data: fc.array(payload, { maxLength: 3 }), id: fc.nat() }),
  fc.record({ type: fc.constant(4), nsp: text, data: fc.oneof(text, record) }),
) as fc.Arbitrary<Packet>;

describe('packets', () => {
  it('round-trip in one frame, from a Uint8Array or an ArrayBuffer', () => {
    fc.assert(
      fc.property(packet, (given) => {
        const frames = new Encoder().encode(given);
        expect(frames.length).toBe(1);
        const frame = frames[0] as Uint8Array;
        const { id: ack, ...rest } = given;
        const expected = ack === undefined ? rest : given;
        expect(decode(frame)).toEqual([expected]);
        expect(decode(Uint8Array.from(frame).buffer)).toEqual([expected]);
      }),
      { numRuns: 500 },
    );
  });

  it('carry bytes as bytes', () => {
    const [frame] = new Encoder().encode({ type: 2, nsp: '/', data: ['x', Uint8Array.of(1, 2, 255)] });
    const [decoded] = decode(frame) as [{ data: [string, Uint8Array] }];
    expect([...decoded.data[1]]).toEqual([1, 2, 255]);
  });
});

describe('a frame that is no packet', () => {
  it('is refused with a ParserError and nothing else, whatever its bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 1, maxLength: 12 })),
        (frame) => {
          decodeOrRefuse(frame);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('is refused when a valid one is cut short, and survives any flipped byte', () => {
    fc.assert(
      fc.property(packet, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, flip) => {
        const frame = Uint8Array.from(new Encoder().encode(given)[0] as Uint8Array);
        expect(decodeOrRefuse(frame.subarray(0, at % frame.length))).toBeUndefined();
        frame[at % frame.length] = (frame[at % frame.length] as number) ^ flip;
        for (const decoded of decodeOrRefuse(frame) ?? []) expect(isPlain(decoded)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['text', 7, null, undefined, {}, [1, 2], new Float64Array(2)])(
    'is refused when it is not binary: %j',
    (frame) => {
      expect(decodeOrRefuse(frame)).toBeUndefined();
    },
  );

  it.each([
    null,
    5,
    'x',
    [],
    {},
    { type: 2 },
    { type: 5, nsp: '/', data: null },
    { type: -1, nsp: '/', data: null },
    { type: 1.5, nsp: '/', data: null },
    { type: '2', nsp: '/', data: ['x'] },
    { type: 2, nsp: 1, data: ['x'] },
    { type: 2, nsp: '/', data: [] },
    { type: 2, nsp: '/', data: [1] },
    { type: 2, nsp: '/', data: { 0: 'x', length: 1 } },
    { type: 2, nsp: '/', data: ['x'], id: -1 },
    { type: 2, nsp: '/', data: ['x'], id: 1.5 },
    { type: 2, nsp: '/', data: ['x'], id: '1' },
    { type: 3, nsp: '/', data: ['x'] },
    { type: 3, nsp: '/', data: 'x', id: 1 },
    { type: 4, nsp: '/', data: null },
    { type: 0, nsp: '/', data: ['x'] },
    { type: 0, nsp: '/', data: 'x' },
  ])('is refused when it decodes to %j', (value) => {
    expect(decodeOrRefuse(pack(value))).toBeUndefined();
  });

  it('reaches no listener', () => {
    const decoder = new Decoder();
    let calls = 0;
    decoder.on('decoded', () => calls++);
    expect(() => decoder.add(pack({ type: 9, nsp: '/' }))).toThrow(ParserError);
    expect(calls).toBe(0);
  });
});

describe('a hostile frame', () => {
  const utf = (value: string) => [0xa0 + value.length, ...Buffer.from(value)];
  /** `{type: 2, nsp: '/', data: ['x', <value>]}` with the value given as raw MessagePack. */
  const carrying = (value: readonly number[]) =>
    Uint8Array.from([0x83, ...utf('type'), 2, ...utf('nsp'), ...utf('/'), ...utf('data'), 0x92, ...utf('x'), ...value]);

  it('cannot reach a prototype by the name "__proto__"', () => {
    const frame = carrying([0x81, ...utf('__proto__'), 0x81, ...utf('polluted'), 0xc3]);
    for (const decoded of decodeOrRefuse(frame) ?? []) expect(isPlain(decoded)).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const outer = Uint8Array.from([0x81, ...utf('__proto__'), ...carrying([0xc0])]);
    expect(decodeOrRefuse(outer)).toBeUndefined();
  });

  it.each([
    ['an error', [0xd4, 0x65, 0x00, 0x92, ...utf('TypeError'), ...utf('boo')]],
    ['a regular expression', [0xd4, 0x78, 0x00, 0x92, ...utf('(a+)+$'), ...utf('g')]],
    ['a set', [0xd4, 0x73, 0x00, 0x91, 0x01]],
    ['a typed array', [0xc7, 0x03, 0x74, 0x01, 1, 2]],
    ['a date', [0xd6, 0xff, 0, 0, 0, 1]],
    ['a wide integer', [0xc7, 0x09, 0x42, 1, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['an object that contains itself', [0xd6, 0x69, 0, 0, 0, 1, 0x91, 0xd6, 0x70, 0, 0, 0, 1]],
    ['a record definition', [0xd5, 0x72, 0x40, 0x00, 0x91, ...utf('a'), 0x01]],
    ['an unknown extension', [0xd4, 0x21, 0x00]],
    ['an array inside arrays 100,000 deep', [...new Array(100_000).fill(0x91), 0xc0]],
  ])('cannot bring in %s', (_, value) => {
    expect(decodeOrRefuse(carrying(value))).toBeUndefined();
  });

  it('leaves the decoder as it was for the next connection', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), packet, (junk, given) => {
        decodeOrRefuse(junk);
        const { id: ack, ...rest } = given;
        expect(decode(new Encoder().encode(given)[0])).toEqual([ack === undefined ? rest : given]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("socket.io's emitter", () => {
  it('subscribes, removes one, those of an event, or all', () => {
    const [frame] = new Encoder().encode({ type: 2, nsp: '/', data: ['x'] });
    const decoder = new Decoder();
    const calls: string[] = [];
    const a = () => calls.push('a');
    const b = () => calls.push('b');
    decoder.on('decoded', a).on('decoded', b).add(frame);
    decoder.off('decoded', a).add(frame);
    decoder.removeListener('decoded', b).add(frame);
    decoder.on('decoded', a).off('decoded').add(frame);
    decoder.on('decoded', a).off().add(frame);
    decoder.on('decoded', a).destroy();
    decoder.add(frame);
    expect(calls).toEqual(['a', 'b', 'b']);
  });
});
