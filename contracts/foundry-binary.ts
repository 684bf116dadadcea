import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Foundry's programs that this product runs. */
export type FoundryTool = 'anvil' | 'forge';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Name of the npm package that carries a tool for this platform. */
export function foundryPackage(tool: FoundryTool, platform: string, architecture: string): string {
  return `@foundry-rs/${tool}-${platform}-${ARCHITECTURES[architecture] ?? architecture}`;
}

/**
 * Finds a tool's binary in its platform package: no install script has to have run.
 *
 * @returns the file, or undefined where the package does not exist for this platform or was not installed
 */
export function findFoundryBinary(tool: FoundryTool): string | undefined {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`${foundryPackage(tool, process.platform, process.arch)}/package.json`);
    const file = join(dirname(manifest), 'bin', process.platform === 'win32' ? `${tool}.exe` : tool);
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}
