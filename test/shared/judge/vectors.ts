import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { apportion } from '../../../shared/aggregation/apportion.ts';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import { krumRanking } from '../../../shared/aggregation/krum-ranking.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { exactScalar } from '../../../shared/aggregation/scalar.ts';
import { scores } from '../../../shared/aggregation/scores.ts';
import { type Hex, toHex, utf8 } from '../../../shared/bytes.ts';
import { contributionsRoot, updateDigest } from '../../../shared/commitments/contribution.ts';
import { sha256Digest } from '../../../shared/commitments/hashing.ts';
import { buildTree, leafHash, TREE, type TreeKind } from '../../../shared/commitments/merkle-tree.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../../../shared/commitments/number-trees.ts';
import { receiptDigest } from '../../../shared/commitments/receipt.ts';
import { rewardsTree } from '../../../shared/commitments/rewards-tree.ts';
import { ATTESTATION_TYPE, typedDataDigest } from '../../../shared/commitments/typed-data.ts';
import { matrixLeaf, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { BLOCK, MAX_UPDATE } from '../../../shared/fixed-point/constants.ts';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { roundDivBig } from '../../../shared/fixed-point/round-div.ts';
import { serverStep } from '../../../shared/fixed-point/server-step.ts';
import type { ServerStep } from '../../../shared/fixed-point/server-step-settings.ts';
import { createRng, type Rng } from '../../../shared/rng.ts';

/** Vectors by file: columns of equal length, so that a reader in Solidity parses each once. */
export type Vectors = Readonly<Record<string, Readonly<Record<string, readonly (string | number)[]>>>>;

type Row = Readonly<Record<string, string | number>>;

function columns(rows: readonly Row[]): Record<string, (string | number)[]> {
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] as string | number)]));
}

const hashOf = (text: string): Hex => toHex(sha256Digest(utf8(text)));
const signed = (rng: Rng, most: number): number => rng.below(2 * most + 1) - most;

/** Rows of one block whose coordinates are, by turns, spread out, close together, extreme, equal and zero. */
function blockRows(rng: Rng, n: number): Int16Array[] {
  return Array.from({ length: n }, () =>
    Int16Array.from({ length: BLOCK }, (_, at) => {
      const reach = [MAX_UPDATE, 5, 1, 300, 0][at % 5] as number;
      return at % 7 === 3 ? (rng.below(2) === 0 ? MAX_UPDATE : -MAX_UPDATE) : signed(rng, reach);
    }),
  );
}

function roundingVectors(rng: Rng): Row[] {
  const small = [-9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const pairs: [bigint, bigint][] = small.flatMap((a) =>
    [1, 2, 3, 4, 7].map((b): [bigint, bigint] => [BigInt(a), BigInt(b)]),
  );
  for (let index = 0; index < 60; index++) {
    const wide = (BigInt(signed(rng, 2 ** 30)) << BigInt(rng.below(90))) + BigInt(rng.below(1000));
    pairs.push([wide, 1n + (BigInt(rng.nextUint32()) << BigInt(rng.below(60)))]);
  }
  return pairs.map(([a, b]) => ({ a: String(a), b: String(b), quotient: String(roundDivBig(a, b)) }));
}

function ruleVectors(rng: Rng): Row[] {
  const cases: [rule: string, n: number, f: number][] = [];
  for (const rule of ['Median', 'TrMean', 'Meamed', 'Phocas', 'SignMajority']) {
    for (const [n, f] of [
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 1],
      [5, 2],
      [8, 3],
      [9, 0],
      [20, 4],
      [21, 10],
      [64, 15],
    ] as const) {
      cases.push([rule, n, f]);
    }
  }
  return cases.map(([rule, n, f]) => {
    const rows = blockRows(rng, n);
    const { aggregate } = aggregateIntegers(
      rows,
      parseRuleSpec({ rule, f }),
      rows.map(() => 1),
    );
    return { rule, f, n, matrix: toHex(matrixLeaf(rows, 0)), aggregate: toHex(vectorBytes(aggregate)) };
  });
}

function sumVectors(rng: Rng): Row[] {
  const cases: [rule: string, n: number, f: number, params?: Record<string, string | number>][] = [
    ['Average', 1, 0],
    ['Average', 7, 0],
    ['Average', 64, 0],
    ['Krum', 9, 2],
    ['MultiKrum', 20, 4],
    ['MultiKrum', 11, 3, { m: 3, neighbours: 'original' }],
    ['GeometricMedian', 12, 3],
    ['CenteredClipping', 10, 2, { tau: 5000 }],
    ['CGE', 64, 20],
  ];
  return cases.map(([rule, n, f, params = {}]) => {
    const rows = blockRows(rng, n);
    const samples = rows.map(() => 1 + rng.below(100_000));
    const { aggregate, weights } = aggregateIntegers(rows, parseRuleSpec({ rule, f, params }), samples);
    return {
      rule,
      n,
      matrix: toHex(matrixLeaf(rows, 0)),
      weights: (weights ?? []).join(' '),
      weightsRoot: weightsRoot(weights ?? []),
      aggregate: toHex(vectorBytes(aggregate)),
    };
  });
}

function stepVectors(rng: Rng): Row[] {
  const rows: Row[] = [];
  for (const momentum of [null, 0, 58_982, 65_535]) {
    for (const [fractionBits, preScaleBits, updateBits, learningRate] of [
      [24, 0, 12, 65_536],
      [24, 0, 30, 1],
      [30, 0, 0, 2 ** 20],
      [0, 16, 30, 65_536],
      [24, 3, 20, 98_304],
      [16, 0, 0, 65_536],
    ] as const) {
      const layout = layoutOf([{ name: 'w', shape: [BLOCK], fractionBits, preScaleBits }]);
      const step: ServerStep =
        momentum === null ? { name: 'FedAvg', learningRate } : { name: 'FedAvgM', learningRate, momentum };
      const model = Int32Array.from({ length: BLOCK }, (_, at) => signed(rng, at % 3 === 0 ? 2 ** 31 - 1 : 2 ** 24));
      const state = Int32Array.from({ length: BLOCK }, (_, at) => signed(rng, at % 4 === 0 ? 2 ** 31 - 1 : 2 ** 22));
      const aggregate = Int32Array.from({ length: BLOCK }, (_, at) =>
        signed(rng, at % 2 === 0 ? MAX_UPDATE * 256 : 999),
      );
      const before = { model, state: momentum === null ? null : state };
      const after = serverStep(layout, before, aggregate, updateBits, step);
      rows.push({
        momentum: momentum ?? -1,
        fractionBits,
        preScaleBits,
        updateBits,
        learningRate,
        model: toHex(vectorBytes(model)),
        state: toHex(vectorBytes(state)),
        aggregate: toHex(vectorBytes(aggregate)),
        nextModel: toHex(vectorBytes(after.model)),
        nextState: toHex(vectorBytes(after.state ?? new Int32Array(BLOCK))),
      });
    }
  }
  return rows;
}

function gramVectors(rng: Rng): Row[] {
  return [
    ['TrMean', 3, 1],
    ['TrMean', 8, 2],
    ['MultiKrum', 11, 3],
    ['Krum', 20, 6],
    ['Median', 64, 20],
  ].map(([name, n, f]) => {
    const count = n as number;
    const faulty = f as number;
    const common = Int16Array.from({ length: BLOCK }, () => signed(rng, 4000));
    // The last f go against the others, two of them are alike, and one is a liar who shouts.
    const rows = Array.from({ length: count }, (_, i) =>
      common.map((value) => (i >= count - faulty ? -value : Math.floor(value / 2) + signed(rng, 1500))),
    );
    if (count > 4) rows[1] = Int16Array.from(rows[0] as Int16Array);
    const spec = parseRuleSpec({ rule: String(name), f: faulty });
    const { aggregate, weights, active } = aggregateIntegers(
      rows,
      spec,
      rows.map(() => 1),
    );
    const gram = gramMatrix(rows, aggregate);
    const inner = gram.slice(0, -1).map((row) => row.slice(0, -1));
    const task = { gram: inner, f: faulty, scalar: exactScalar, unit: 1, reference: false };
    const result = scores(gram, active, 'alignment');
    return {
      rule: String(name),
      n: count,
      f: faulty,
      gram: gram.flat().join(' '),
      gramRoot: gramRoot(gram),
      active: active.map(Number).join(' '),
      weights: (weights ?? rows.map(() => 0)).join(' '),
      scores: result.join(' '),
      confirmation: scores(gram, active, 'confirmation').join(' '),
      scoresRoot: scoresRoot(result),
      ranking: krumRanking({ ...task, params: { neighbours: 'byzfl' } }).join(' '),
      rankingOriginal: krumRanking({ ...task, params: { neighbours: 'original' } }).join(' '),
    };
  });
}

function splitVectors(rng: Rng): Row[] {
  const cases: [shares: bigint[], total: bigint][] = [
    [[0n, 0n], 10n],
    [[1n, 1n, 1n], 10n],
    [[714342400n, 681902080n, 753664000n, 0n], 1000n],
    [[5n, 0n, 5n, 5n], 1n],
    [[1n], 2n ** 96n - 1n],
  ];
  for (let index = 0; index < 24; index++) {
    const shares = Array.from({ length: 1 + rng.below(64) }, () =>
      rng.below(4) === 0 ? 0n : BigInt(rng.nextUint32()) << BigInt(rng.below(60)),
    );
    cases.push([shares, (BigInt(rng.nextUint32()) << BigInt(rng.below(64))) + BigInt(rng.below(7))]);
  }
  return cases.map(([shares, total]) => ({
    shares: shares.join(' '),
    total: String(total),
    amounts: apportion(shares, total).join(' '),
  }));
}

function treeVectors(rng: Rng): Row[] {
  // No judge opens a data set: its records are shown to an auditor, never to the chain.
  const kinds = Object.values(TREE).filter((kind) => kind !== TREE.dataset);
  return kinds.flatMap((kind: TreeKind) =>
    [1, 2, 3, 5, 8, 13].map((leaves) => {
      const data = Array.from({ length: leaves }, () =>
        Uint8Array.from({ length: 1 + rng.below(300) }, () => rng.below(256)),
      );
      const tree = buildTree(
        kind,
        data.map((leaf) => leafHash(kind, leaf)),
      );
      const index = rng.below(leaves);
      return {
        kind,
        leaves,
        index,
        leaf: toHex(data[index] as Uint8Array),
        hashes: tree
          .level(0)
          .map((node) => toHex(node).slice(2))
          .join(''),
        proof: tree
          .proof(index)
          .map((node) => toHex(node).slice(2))
          .join(''),
        root: toHex(tree.root),
      };
    }),
  );
}

function commitmentVectors(): Row[] {
  return [31_337n, 1n, 8453n].map((chainId, index) => {
    const domain = { chainId, anchor: `0x${hashOf(`anchor ${index}`).slice(26)}` as Hex };
    const participant = `0x${hashOf(`participant ${index}`).slice(26)}` as Hex;
    const statement = {
      job: hashOf(`job ${index}`),
      round: 7 + index,
      attempt: index,
      parentRoot: hashOf(`parent ${index}`),
      updateRoot: hashOf(`update ${index}`),
      samples: 1234 * (index + 1),
      largestMagnitude: 8000 - index,
      datasetCommitment: hashOf(`data set ${index}`),
    };
    const { job, round, attempt, updateRoot } = statement;
    const code = ['', 'gate/late', 'gate/out-of-range'][index] as string;
    const verdict = (['accepted', 'late', 'rejected'] as const)[index] ?? 'accepted';
    const receipt = { job, round, attempt, participant, updateRoot, verdict, code };
    const head = `0x${hashOf(`head ${index}`).slice(2, 54)}`;
    const signature = `0x${'5a'.repeat(65)}` as Hex;
    const cumulative = 10n ** 18n * BigInt(index + 1);
    const tree = rewardsTree([
      { account: participant, cumulative },
      { account: `0x${'11'.repeat(20)}`, cumulative: 5n },
      { account: `0x${'22'.repeat(20)}`, cumulative: 0n },
      { account: `0x${'33'.repeat(20)}`, cumulative: 9n },
    ]);
    return {
      chainId: String(chainId),
      anchor: domain.anchor,
      participant,
      ...statement,
      verdict: index + 1,
      code,
      head,
      updateDigest: toHex(updateDigest(domain, statement)),
      receiptDigest: toHex(receiptDigest(domain, receipt)),
      attestationDigest: toHex(typedDataDigest(domain, ATTESTATION_TYPE, { job, round, head })),
      contributionsRoot: contributionsRoot([{ participant, signature, ...statement }]),
      cumulative: String(cumulative),
      rewardsRoot: tree.root,
      rewardsProof: (tree.proof(participant) ?? []).map((node) => node.slice(2)).join(''),
    };
  });
}

/** Every vector, by the name of its file, from the reference in `shared` and a fixed seed. */
export function judgeVectors(): Vectors {
  const rng = createRng(5, 'judge');
  return {
    rounding: columns(roundingVectors(rng)),
    rules: columns(ruleVectors(rng)),
    sums: columns(sumVectors(rng)),
    steps: columns(stepVectors(rng)),
    gram: columns(gramVectors(rng)),
    splits: columns(splitVectors(rng)),
    trees: columns(treeVectors(rng)),
    commitments: columns(commitmentVectors()),
  };
}
