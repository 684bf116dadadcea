import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import type { DeployedContract } from './deploy-chain.ts';
import { DeployError } from './deploy-error.ts';

const hex = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]*$/.test(value), 'expected hexadecimal');
const schema = z.strictObject({
  /** EIP-155 chain id. */
  chainId: z.string().regex(/^[0-9]+$/),
  /** Who deployed what belongs to the governance, lower case. */
  deployer: hex,
  /** The token whose votes count, lower case. */
  token: hex,
  /** Contracts by name. */
  contracts: z.record(
    z.string(),
    z.strictObject({
      /** Where it is, lower case. */
      address: hex,
      /** Arguments of its constructor, ABI-encoded. */
      constructorArguments: hex,
      /** The transaction that created it, where it is known. */
      transactionHash: z.exactOptional(hex),
      /** Number of that transaction's block. */
      blockNumber: z.exactOptional(z.number()),
    }),
  ),
});

/** What is deployed on one chain: the content of `deployments/<chainId>.json`. */
export type Deployment = z.infer<typeof schema>;

/**
 * Reads a deployment.
 *
 * @throws DeployError `deploy/no-deployment`
 */
export async function readDeployment(file: string): Promise<Deployment> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    const message = `${file} is not a deployment: "fedanchor deploy" writes one; name it`;
    throw new DeployError('deploy/no-deployment', message, { file }, cause);
  }
}

/**
 * Writes what is deployed on a chain. Transactions that an earlier run has written down stay, where the contract is still
 * the same.
 */
export async function writeDeployment(
  file: string,
  { chainId, deployer, token }: Pick<Deployment, 'chainId' | 'deployer' | 'token'>,
  deployed: readonly DeployedContract[],
): Promise<Deployment> {
  const before = await readDeployment(file).catch(() => undefined);
  const contracts: Record<string, Deployment['contracts'][string]> = {};
  for (const { name, address, constructorArguments, receipt } of deployed) {
    const known = before?.chainId === chainId ? before.contracts[name] : undefined;
    contracts[name] = {
      ...(known?.address === address ? known : {}),
      ...{ address, constructorArguments },
      ...(receipt && { transactionHash: receipt.transactionHash, blockNumber: receipt.blockNumber }),
    };
  }
  const deployment = { chainId, deployer, token, contracts };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(deployment, null, 2)}\n`);
  await rename(`${file}.new`, file);
  return deployment;
}
