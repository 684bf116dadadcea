import * as tf from '@tensorflow/tfjs-core';
import { TrainerError } from '../../trainer-error.ts';
import { adapterOptions, type Dawn, type Gpu, type GpuAdapter, type GpuDevice, listAdapters } from './dawn.ts';
import { startRegistered } from './start-registered.ts';
import type { StartedBackend } from './started-backend.ts';

/** Brings in the two optional packages behind WebGPU. */
export interface WebGpuLoaders {
  /** The package `webgpu`. */
  readonly dawn: () => Promise<unknown>;
  /** The package `@tensorflow/tfjs-backend-webgpu`. */
  readonly backend: () => Promise<unknown>;
}

/** How to choose an adapter. */
export interface WebGpuOptions {
  /** An index into Dawn's list of adapters, or a name; default: the fastest. */
  readonly device?: string;
  /** Whether a driver that computes on the CPU will do: it is slower than WASM. */
  readonly software: boolean;
}

interface BackendPackage {
  readonly WebGPUBackend: new (device: GpuDevice, info: GpuAdapter['info']) => tf.KernelBackend;
}

/** The limits that TensorFlow.js makes use of beyond those that every device has. */
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
];

interface Running {
  readonly started: StartedBackend;
  readonly device: string | undefined;
  readonly software: boolean;
  /** Never read: Dawn ends, and the process with it, when this is collected while the device is still in use. */
  readonly gpu: Gpu;
}

let running: Running | undefined;

/**
 * Starts TensorFlow.js on WebGPU: any vendor's GPU by Vulkan, Metal or D3D12, without CUDA. A process computes on one
 * adapter.
 *
 * @param loaders - bring in the packages
 * @param options - which adapter
 * @throws Error naming what is missing
 */
export async function startWebGpu(loaders: WebGpuLoaders, options: WebGpuOptions): Promise<StartedBackend> {
  if (running === undefined) running = await startOnce(loaders, options);
  else if (options.device !== undefined && options.device !== running.device) {
    throw new Error(`this process computes on ${running.started.device} already: run a process for each device`);
  }
  if (running.software && !options.software) throw softwareOnly(running.started.device ?? '');
  await startRegistered(running.started.registeredAs);
  return running.started;
}

async function startOnce(loaders: WebGpuLoaders, options: WebGpuOptions): Promise<Running> {
  refuseWithoutVulkan();
  const dawn = (await loaders.dawn()) as Dawn;
  const gpu = dawn.create(options.device === undefined ? [] : adapterOptions(await listAdapters(dawn), options.device));
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Error('WebGPU finds no adapter: install the driver of your GPU');
  const { info } = adapter;
  const name = [info.device, info.description, info.vendor].filter((part) => part !== '').join(', ');
  const software = info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(name);
  if (software && !options.software) throw softwareOnly(name);
  const device = await adapter.requestDevice({
    requiredFeatures: [],
    requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit] as number])),
  });
  const failures = watch(device);
  // The backend reads the constants and classes of WebGPU from the global object, as it would in a browser.
  Object.assign(globalThis, dawn.globals);
  const { WebGPUBackend } = (await loaders.backend()) as BackendPackage;
  const backend = withNavigator(gpu, () => new WebGPUBackend(device, info));
  if (!tf.registerBackend('webgpu', () => backend)) throw new Error('another "webgpu" backend is registered already');
  await startRegistered('webgpu');
  const assertSound = (): void => {
    const [failure] = failures;
    if (failure === undefined) return;
    throw new TrainerError(
      'trainer/backend-failed',
      `the GPU failed (${name}): ${failure}; what it computed is void: use smaller batches or another backend, and start again`,
      { device: name, failure },
    );
  };
  return { started: { registeredAs: 'webgpu', device: name, assertSound }, device: options.device, software, gpu };
}

/** Collects what goes wrong on a device, which throws nothing by itself. */
function watch(device: GpuDevice): readonly string[] {
  const failures: string[] = [];
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault?.();
    failures.push(event.error.message.split('\n')[0] ?? 'unknown');
  });
  void device.lost.then(({ reason, message }) => failures.push(`the device is lost (${reason}): ${message}`));
  return failures;
}

/**
 * The backend looks for `navigator.gpu` when it is made, and never again. It is taken away after that: who finds a
 * navigator takes this process for a browser.
 */
function withNavigator<Made>(gpu: Gpu, make: () => Made): Made {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  try {
    return make();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'navigator');
    else Object.defineProperty(globalThis, 'navigator', before);
  }
}

/** Dawn prints a warning of its own where Linux has no Vulkan; asking the linker first spares that. */
function refuseWithoutVulkan(): void {
  if (process.platform !== 'linux') return;
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1');
  } catch (cause) {
    // A library that is there and opens is no addon, and that is the complaint then.
    if (cause instanceof Error && /cannot open shared object file/.test(cause.message)) {
      throw new Error('there is no Vulkan loader: install it (Debian, Ubuntu: libvulkan1) and the driver of your GPU');
    }
  }
}

function softwareOnly(name: string): Error {
  return new Error(`the only adapter computes on the CPU (${name}), slower than WASM`);
}
