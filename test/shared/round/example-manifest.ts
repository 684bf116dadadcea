import type { Hex } from '../../../shared/bytes.ts';
import { type Manifest, parseManifest } from '../../../shared/round/manifest.ts';

/** A manifest as plain JSON, valid as it stands. */
export function exampleManifestJson(): Record<string, unknown> {
  return {
    version: 1,
    name: 'example',
    tensors: [
      { name: 'dense/kernel', shape: [9, 10], fractionBits: 24, preScaleBits: 0 },
      { name: 'dense/bias', shape: [10], fractionBits: 20, preScaleBits: 1 },
    ],
    task: { kind: 'next-character', architecture: { layers: [] }, training: { steps: 3 }, data: null },
    aggregation: {
      rule: { rule: 'TrMean', pre: [], f: 1, params: {} },
      sampleCap: 1000,
      serverStep: { name: 'FedAvg', learningRate: 65536 },
    },
    rounds: 5,
    participation: { admission: 'open', expected: 4, quorum: 3, deadlineMs: 60000, retries: 2 },
    rewards: { pricePerRound: '1000000000000000000' },
    chain: { windowTicks: 1 },
    disclosure: 'public',
    retentionS: 0,
    initialUpdateBits: 12,
    initialModelRoot: `0x${'11'.repeat(32)}`,
    seedCommitment: `0x${'22'.repeat(32)}`,
  };
}

/** What a test may choose about the example. */
export interface ExampleChoices {
  /** Members of the manifest to replace. */
  readonly replace?: Readonly<Record<string, unknown>>;
  /** Root of the model before round 1. */
  readonly initialModelRoot?: Hex;
  /** Start of the chain of seeds. */
  readonly seedCommitment?: Hex;
}

/** The example manifest, validated. */
export function exampleManifest({ replace = {}, ...roots }: ExampleChoices = {}): Manifest {
  return parseManifest({ ...exampleManifestJson(), ...replace, ...roots });
}
