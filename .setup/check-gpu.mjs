import { bundleGpuCheck } from './bundle-gpu-check.mjs';
import { SetupError, say } from './place.mjs';

// npm run check:gpu -- [--bundle <folder>] [options]: checks this machine, or writes a folder that checks another one.
const args = process.argv.slice(2);
const at = args.indexOf('--bundle');
try {
  if (at < 0) {
    // Built just now, so that it is no part of what is checked before.
    const { runCheckGpu } = await import(new URL('../dist/client/check-gpu/cli.js', import.meta.url).href);
    await runCheckGpu(args);
  } else {
    await bundleGpuCheck(args[at + 1]);
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
