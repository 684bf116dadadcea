/** Arrays and maps within one another that a packet may have. */
const DEEPEST = 64;

/**
 * Whether bytes are exactly one MessagePack value made of nil, booleans, numbers, strings, bytes, arrays and maps.
 *
 * Extension types are refused before any decoder sees them: through them a frame could bring in errors, regular
 * expressions, objects that contain themselves or definitions that change how later bytes are read. The one exception is
 * the extension 0 that msgpackr writes `undefined` as. Counts that exceed the bytes left and nesting beyond 64 levels
 * are refused likewise, so that decoding costs no more than the frame is long.
 *
 * Source: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md.
 */
export function isPlainMessagePack(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Values still to come at each level of nesting. */
  const pending = [1];
  let at = 0;
  while (pending.length > 0) {
    const left = pending.pop() as number;
    if (left === 0) continue;
    pending.push(left - 1);
    if (at >= bytes.length) return false;
    const value = measure(view, at);
    if (value === undefined) return false;
    at += value.length;
    if (at > bytes.length || value.children > bytes.length - at || pending.length > DEEPEST) return false;
    if (value.children > 0) pending.push(value.children);
  }
  return at === bytes.length;
}

/** Bytes that a value takes without its children, and how many values follow as its children. */
interface Measure {
  readonly length: number;
  readonly children: number;
}

/** Sizes by first byte from 0xc0; those missing are by count, by extension or never used. */
const FIXED: Readonly<Record<number, number>> = {
  192: 1, // nil
  194: 1, // false
  195: 1, // true
  202: 5, // float 32
  203: 9, // float 64
  204: 2, // uint 8
  205: 3,
  206: 5,
  207: 9, // uint 64
  208: 2, // int 8
  209: 3,
  210: 5,
  211: 9, // int 64
};

function measure(view: DataView, at: number): Measure | undefined {
  const token = view.getUint8(at);
  if (token < 0x80 || token >= 0xe0) return { length: 1, children: 0 };
  if (token < 0x90) return { length: 1, children: 2 * (token & 0x0f) };
  if (token < 0xa0) return { length: 1, children: token & 0x0f };
  if (token < 0xc0) return { length: 1 + (token & 0x1f), children: 0 };
  const fixed = FIXED[token];
  if (fixed !== undefined) return { length: fixed, children: 0 };
  switch (token) {
    case 0xc4:
    case 0xd9:
      return counted(view, at, 1, 0);
    case 0xc5:
    case 0xda:
      return counted(view, at, 2, 0);
    case 0xc6:
    case 0xdb:
      return counted(view, at, 4, 0);
    case 0xdc:
      return counted(view, at, 2, 1);
    case 0xdd:
      return counted(view, at, 4, 1);
    case 0xde:
      return counted(view, at, 2, 2);
    case 0xdf:
      return counted(view, at, 4, 2);
    case 0xd4: {
      const isUndefined = at + 2 < view.byteLength && view.getUint8(at + 1) === 0;
      return isUndefined ? { length: 3, children: 0 } : undefined;
    }
    default:
      return undefined;
  }
}

/** A value whose count stands in the `width` bytes after its first: bytes of its own, or `each` children a count. */
function counted(view: DataView, at: number, width: 1 | 2 | 4, each: number): Measure | undefined {
  if (at + 1 + width > view.byteLength) return undefined;
  const count = width === 1 ? view.getUint8(at + 1) : width === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1);
  return each === 0 ? { length: 1 + width + count, children: 0 } : { length: 1 + width, children: each * count };
}
