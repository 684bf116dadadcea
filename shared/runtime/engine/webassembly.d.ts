/**
 * What the engine uses of the WebAssembly JavaScript interface: no library file of TypeScript has it without a browser's.
 * Source: WebAssembly JavaScript Interface 2.0.
 */
declare namespace WebAssembly {
  /** Compiled code. */
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }

  /** Compiled code over a memory. */
  class Instance {
    constructor(module: Module, imports: { env: { memory: Memory } });
    /** Its functions. */
    readonly exports: unknown;
  }

  /** A memory that threads share. Sizes are in pages of 64 KiB. */
  class Memory {
    constructor(limits: { initial: number; maximum: number; shared: true });
    /** The memory as it is now; one that has grown has another. */
    readonly buffer: SharedArrayBuffer;
    /** Makes it larger by some pages; returns how many it had. */
    grow(pages: number): number;
  }

  /** Compiles code without holding up the caller's thread. */
  function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>;
}
