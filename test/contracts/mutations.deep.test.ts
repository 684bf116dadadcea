import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../contracts/package-root.ts';

/** A bug planted into a copy of the contracts, and the invariant that must notice it. */
interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly breaks: string;
}

const mutations: readonly Mutation[] = [
  {
    name: 'I1: a refund is not booked',
    file: 'RewardVault.sol',
    find: '_escrow.refunded += uint128(amount);',
    replace: '',
    breaks: 'invariant_I1_',
  },
  {
    name: 'I1: funding books what was asked for twice',
    file: 'RewardVault.sol',
    find: '_escrow.funded = (_escrow.funded + received).toUint128();',
    replace: '_escrow.funded = (_escrow.funded + 2 * received).toUint128();',
    breaks: 'invariant_I1_',
  },
  {
    name: 'I2: a claim pays the whole cumulative amount each time',
    file: 'RewardVault.sol',
    find: 'uint256 amount = cumulative - entry.claimed;',
    replace: 'uint256 amount = cumulative;',
    breaks: 'invariant_I2_',
  },
  {
    name: 'I2: a batch does not watch the pot',
    file: 'RewardVault.sol',
    find: 'if (amount > available - paid || recipient',
    replace: 'if (recipient',
    breaks: 'invariant_I2_',
  },
  {
    name: 'I2: refunds return activated rewards too',
    file: 'RewardVault.sol',
    find: '(funded - _totals.activated)) / funded',
    replace: 'funded) / funded',
    breaks: 'invariant_I2_',
  },
  {
    name: 'I3: a slot is recycled in its window',
    file: 'RoundAnchor.sol',
    find: 'if (heldRound != 0 && tick <=',
    replace: 'if (heldRound != 0 && tick <',
    breaks: 'invariant_I3_',
  },
  {
    name: 'I3: a replayed round overwrites its slot',
    file: 'RoundAnchor.sol',
    find: 'if (heldRound + _ringSize != round) revert RoundAnchorOutOfOrder(round);',
    replace: '',
    breaks: 'invariant_I3_',
  },
  {
    name: 'I3: an empty slot passes for the genesis',
    file: 'RoundAnchor.sol',
    find: 'if (parent == 0) revert RoundAnchorOutOfOrder(round);',
    replace: 'if (parent == 0 && round != 1) revert RoundAnchorOutOfOrder(round);',
    breaks: 'invariant_I3_',
  },
  {
    name: 'I3: a rewind forgets to clear the last slot',
    file: 'RoundAnchor.sol',
    find: 'round <= lastRound; ++round) {\n            _ring',
    replace: 'round < lastRound; ++round) {\n            _ring',
    breaks: 'invariant_I3_',
  },
  {
    name: 'I10: a round is final one tick too early',
    file: 'RoundAnchor.sol',
    find: '/ TICK_SECONDS > uint24(slot) + _windowTicks;',
    replace: '/ TICK_SECONDS >= uint24(slot) + _windowTicks;',
    breaks: 'invariant_I10_',
  },
  {
    name: 'I4: the vault does not ask whether a record is final',
    file: 'RewardVault.sol',
    find: 'if (!_anchor.isFinal(record)) revert RewardVaultNotFinal(record.round);',
    replace: '',
    breaks: 'invariant_I[124]_',
  },
];

const contracts = join(packageRoot(), 'contracts');
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'fedanchor-mutations-'));
  symlinkSync(join(packageRoot(), 'node_modules'), join(root, 'node_modules'), 'dir');
  // The unit tests and the token would only make every compilation longer.
  for (const file of ['interfaces', 'test', 'RoundAnchor.sol', 'RewardVault.sol']) {
    cpSync(join(contracts, file), join(root, 'contracts', file), { recursive: true });
  }
  for (const file of ['RoundAnchor.t.sol', 'RewardVault.t.sol']) rmSync(join(root, 'contracts', 'test', file));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function runInvariants(test: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(contracts, 'forge.mjs'), 'test', '--match-test', test],
    // The older code generator compiles three times as fast, and bugs are bugs in either.
    { encoding: 'utf8', env: { ...process.env, FEDANCHOR_FORGE_ROOT: root, FOUNDRY_VIA_IR: 'false' } },
  );
  return { status, output: stdout + stderr };
}

// An invariant that no bug can break proves nothing.
describe('the invariants', () => {
  it('hold on the contracts as they are', () => {
    const { status, output } = runInvariants('invariant_');
    expect(output).not.toContain('[FAIL');
    expect(status, output).toBe(0);
  });

  it.each(mutations)('notice $name', ({ file, find, replace, breaks }) => {
    const path = join(root, 'contracts', file);
    const source = readFileSync(path, 'utf8');
    expect(source.split(find), 'the text to change must be there exactly once').toHaveLength(2);
    try {
      writeFileSync(path, source.replace(find, replace));
      const { status, output } = runInvariants(breaks);
      expect(output).toContain('[FAIL');
      expect(status).not.toBe(0);
    } finally {
      writeFileSync(path, source);
    }
  });
});
