/** The part of a WebGPU adapter that is used here. */
export interface GpuAdapter {
  /** Who made it, what it is and which driver speaks for it. */
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  };
  /** What it can do beyond what every adapter can. */
  readonly features: ReadonlySet<string>;
  /** How much of everything a device of it may have. */
  readonly limits: Readonly<Record<string, number>>;
  /** Opens it. */
  requestDevice(descriptor: {
    readonly requiredFeatures: readonly string[];
    readonly requiredLimits: Readonly<Record<string, number>>;
  }): Promise<GpuDevice>;
}

/** The part of a WebGPU device that is used here. */
export interface GpuDevice {
  /** Settles when the device is gone; never, if all goes well. */
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  /** Has errors told that nobody waits for. */
  addEventListener(
    type: 'uncapturederror',
    listener: (event: { readonly error: { readonly message: string }; preventDefault?(): void }) => void,
  ): void;
}

/** What `navigator.gpu` is in a browser. */
export interface Gpu {
  /** The adapter that fits best, null where there is none. */
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<GpuAdapter | null>;
}

/** The package `webgpu`: Dawn, the WebGPU implementation of Chromium, as an addon of Node. */
export interface Dawn {
  /** Starts an instance of Dawn, with options such as `adapter=NAME`; it lives for as long as it is referred to. */
  create(options: readonly string[]): Gpu;
  /** The classes and constants that a browser has on its global object. */
  readonly globals: object;
}

/** An adapter as Dawn lists it. */
export interface ListedAdapter {
  /** Such as `vulkan`. */
  readonly api: string;
  /** As the driver calls it. */
  readonly name: string;
}

/**
 * Lists the adapters that Dawn finds. It tells them only when asked for one that is not there.
 *
 * @param dawn - the package
 */
export async function listAdapters(dawn: Dawn): Promise<ListedAdapter[]> {
  try {
    await dawn.create(['adapter=(list them all)']).requestAdapter({ powerPreference: 'high-performance' });
  } catch (cause) {
    const told = cause instanceof Error ? cause.message : '';
    return [...told.matchAll(/backend: '([^']*)', name: '(.*)'$/gm)].map(([, api = '', name = '']) => ({ api, name }));
  }
  return [];
}

/**
 * Chooses among listed adapters.
 *
 * @param adapters - as {@link listAdapters} returns them
 * @param device - an index into the list, or a name or a part of one, letter case aside
 * @returns Dawn's options that ask for that adapter
 * @throws Error when none or several answer to it
 */
export function adapterOptions(adapters: readonly ListedAdapter[], device: string): string[] {
  const listed = adapters.map(({ api, name }, index) => `${index}: ${name} (${api})`).join(', ') || 'none';
  const wanted = device.toLowerCase();
  const matches = /^\d+$/.test(device)
    ? adapters.filter((_, index) => index === Number(device))
    : adapters.filter(({ name }) => name.toLowerCase().includes(wanted));
  const [first, ...others] = matches;
  if (first === undefined) throw new Error(`no adapter answers to device "${device}"; there are: ${listed}`);
  if (others.length > 0) throw new Error(`several adapters answer to device "${device}": ${listed}`);
  // Dawn chooses by name alone, and takes the first that has it.
  if (adapters.findIndex(({ api, name }) => api === first.api && name === first.name) !== adapters.indexOf(first)) {
    throw new Error(`device "${device}" has the same name as one before it, and Dawn chooses by name: ${listed}`);
  }
  return [`backend=${first.api}`, `adapter=${first.name}`];
}
