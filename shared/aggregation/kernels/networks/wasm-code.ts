/**
 * Code of one WebAssembly function as it is written down: a stack machine's, so that operands come before operations.
 * Source: WebAssembly Core Specification 2.0, "Binary Format".
 */
export interface WasmCode {
  /** Puts a local on the stack. */
  get(local: number): void;
  /** Takes the stack's top into a local. */
  set(local: number): void;
  /** Copies the stack's top into a local. */
  tee(local: number): void;
  /** Puts a constant int32 on the stack. */
  i32(value: number): void;
  /** Puts a constant float64 on the stack. */
  f64(value: number): void;
  /** A plain instruction of one byte, such as `I32_ADD`. */
  op(opcode: number): void;
  /** A SIMD instruction without immediate operands. */
  simd(opcode: number): void;
  /** Loads 16 bytes at the address on the stack plus an offset. */
  load(offset: number): void;
  /** Stores 16 bytes at the address below them on the stack plus an offset. */
  store(offset: number): void;
  /** Does something, and again while the int32 it leaves on the stack is not zero. */
  loop(body: () => void): void;
  /** A local of 16 bytes that was not given out before. */
  vector(): number;
}

/** Adds the two int32 on the stack. */
export const I32_ADD = 0x6a;
/** Whether the unsigned int32 below is smaller than the one on top. */
export const I32_LT_U = 0x49;

const TYPE = { i32: 0x7f, v128: 0x7b, function: 0x60 } as const;
const SIMD = 0xfd;

/**
 * Writes a module of one function, which imports its memory as `env.memory`, shared, and is exported as `run`.
 *
 * @param parameters - how many int32 parameters the function has; they are its first locals
 * @param integers - how many int32 locals follow them
 * @param write - writes the function's code
 * @returns the module's bytes
 */
export function writeModule(
  parameters: number,
  integers: number,
  write: (code: WasmCode) => void,
): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let vectors = 0;
  write({
    get: (local) => bytes.push(0x20, ...unsigned(local)),
    set: (local) => bytes.push(0x21, ...unsigned(local)),
    tee: (local) => bytes.push(0x22, ...unsigned(local)),
    i32: (value) => bytes.push(0x41, ...signed(value)),
    f64: (value) => bytes.push(0x44, ...new Uint8Array(Float64Array.of(value).buffer)),
    op: (opcode) => bytes.push(opcode),
    simd: (opcode) => bytes.push(SIMD, ...unsigned(opcode)),
    load: (offset) => bytes.push(SIMD, 0, 0, ...unsigned(offset)),
    store: (offset) => bytes.push(SIMD, 11, 0, ...unsigned(offset)),
    loop: (body) => {
      bytes.push(0x03, 0x40);
      body();
      bytes.push(0x0d, 0, 0x0b);
    },
    vector: () => parameters + integers + vectors++,
  });
  const locals = [
    [...unsigned(integers), TYPE.i32],
    [...unsigned(vectors), TYPE.v128],
  ];
  const body = [...list(locals), ...bytes, 0x0b];
  const types = list([[TYPE.function, ...list(Array.from({ length: parameters }, () => [TYPE.i32])), 0]]);
  const memory = list([[...text('env'), ...text('memory'), 2, 3, 1, ...unsigned(MOST_PAGES)]]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, memory),
    ...section(3, list([[0]])),
    ...section(7, list([[...text('run'), 0, 0]])),
    ...section(10, list([[...unsigned(body.length), ...body]])),
  ]);
}

/** Pages of 64 KiB that a memory may have at most: 4 GiB. */
const MOST_PAGES = 65_536;

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
}

/** LEB128 of an unsigned int32. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  do {
    const low = left & 127;
    left >>>= 7;
    bytes.push(left === 0 ? low : low | 128);
  } while (left !== 0);
  return bytes;
}

/** LEB128 of a signed int32. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (;;) {
    const low = left & 127;
    left >>= 7;
    if ((left === 0 && (low & 64) === 0) || (left === -1 && (low & 64) !== 0)) return [...bytes, low];
    bytes.push(low | 128);
  }
}
