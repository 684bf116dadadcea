import type { EmbeddedChain } from '../../contracts/embedded-chain.ts';
import { createWallet, type Signer } from '../../contracts/wallet.ts';
import { type JobFolder, prepareJob } from '../../coordinator/job-folder.ts';
import { concatBytes, type Hex, toHex, utf8, word } from '../../shared/bytes.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import type { SigningDomain } from '../../shared/commitments/typed-data.ts';
import { layoutOf } from '../../shared/fixed-point/layout.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { deployAndFund } from '../demo/chain.ts';

/** What a benchmark's job is to be. */
export interface BenchJobOptions {
  /** Parameters of the model: one tensor. */
  readonly parameters: number;
  /** Rounds. */
  readonly rounds: number;
  /** Aggregation rule without settings. */
  readonly rule: string;
  /** Faulty participants to withstand. */
  readonly f: number;
  /** Participants that must have joined before round 1. */
  readonly expected: number;
  /** Updates without which a round is not aggregated. */
  readonly quorum: number;
  /** Updates that each round takes, drawn among those present; all of them if absent. */
  readonly sample?: number;
}

/** A benchmark's job, deployed and ready to be run. */
export interface BenchJob {
  /** The coordinator's folder. */
  readonly folder: string;
  /** The coordinator's private key. */
  readonly coordinatorKey: Hex;
  /** The coordinator. */
  readonly coordinator: Signer;
  /** Terms, contracts, seeds. */
  readonly job: JobFolder;
  /** Where signatures of the job are valid. */
  readonly domain: SigningDomain;
  /** The model before round 1: zeros. */
  readonly model: Int32Array;
}

/** Long enough that no round of a benchmark ends by its deadline. */
const DEADLINE_MS = 3_600_000;

/** Chain id of the embedded chain. */
const CHAIN_ID = 31337n;

/** A private key of a benchmark: worth nothing on any other chain. */
export function benchKey(name: string, index = 0): Hex {
  return toHex(sha256Digest(concatBytes(utf8(`fedanchor bench ${name}`), word(index))));
}

/** Creates a job that anyone may take part in, and its contracts on the embedded chain. */
export async function createBenchJob(
  folder: string,
  chain: EmbeddedChain,
  { parameters, rounds, rule, f, expected, quorum, sample }: BenchJobOptions,
): Promise<BenchJob> {
  const tensors: Manifest['tensors'] = [{ name: 'weights', shape: [parameters], fractionBits: 24, preScaleBits: 0 }];
  const model = new Int32Array(layoutOf(tensors).dimension);
  const coordinatorKey = benchKey('coordinator');
  const coordinator = createWallet(coordinatorKey);
  const sponsor = createWallet(benchKey('sponsor'));
  const prepared = prepareJob(
    folder,
    {
      name: 'benchmark',
      tensors,
      task: { kind: 'none', architecture: null, training: null, data: null },
      aggregation: {
        rule: { rule, pre: [], f, params: {} },
        sampleCap: 1_000_000,
        serverStep: { name: 'FedAvg', learningRate: 2 ** 16 },
      },
      rounds,
      participation: {
        admission: 'open',
        expected,
        quorum,
        deadlineMs: DEADLINE_MS,
        retries: 2,
        ...(sample !== undefined && { sample: { size: sample, extra: 0 } }),
      },
      rewards: { pricePerRound: String(10n ** 18n), score: 'confirmation' },
      chain: { windowTicks: 1 },
      disclosure: 'public',
      retentionS: 0,
      initialUpdateBits: 16,
    },
    model,
  );
  const party = (signer: Signer) => ({ name: 'bench', signer, keyFile: '' });
  const cast = { operator: party(coordinator), sponsor: party(sponsor), watcher: party(coordinator), participants: [] };
  const { contracts } = await deployAndFund(chain, prepared.terms, cast);
  const job = await prepared.commit(contracts);
  const domain = { chainId: CHAIN_ID, anchor: contracts.anchor };
  return { folder, coordinatorKey, coordinator, job, domain, model };
}
