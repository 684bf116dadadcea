import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
  /** A further replacement that the first one needs to compile. */
  readonly also?: readonly [find: string, replace: string];
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
    find: 'if (heldRound != 0 && (tick <=',
    replace: 'if (heldRound != 0 && (tick <',
    breaks: 'invariant_I3_',
  },
  {
    name: 'I3: a disputed slot is recycled after its window',
    file: 'RoundAnchor.sol',
    find: ' || heldRound > bounds >> 32)) {',
    replace: ')) {',
    breaks: 'invariant_I3_DisputedRoundsKeepTheirSlots',
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
    breaks: 'invariant_I4_',
  },
  {
    name: 'I4: final needs no window',
    file: 'RoundAnchor.sol',
    find: 'return uint24(slot >> 24) <= _control.limit && _isPast(slot);',
    replace: 'return uint24(slot >> 24) <= _control.limit;',
    breaks: 'invariant_I4_',
  },
  {
    name: 'I5: compensation is not booked',
    file: 'StakeManager.sol',
    find: '_totals.pots += compensation;',
    replace: '',
    breaks: 'invariant_I5_',
  },
  {
    name: 'I5: a slashed stake stays on the books',
    file: 'StakeManager.sol',
    find: '_totals.stakes -= cut;',
    replace: '',
    breaks: 'invariant_I5_',
  },
  {
    name: 'I5: a returned bond is credited to both',
    file: 'Disputes.sol',
    find: '_stakes.unlock(winner, _challengerBond);',
    replace:
      '_stakes.unlock(winner, _challengerBond); if (winner != dispute.challenger) _stakes.unlock(dispute.challenger, _challengerBond);',
    breaks: 'invariant_I5_',
  },
  {
    name: 'I6: an exit does not wait',
    file: 'StakeManager.sol',
    find: 'uint256 freeAt = entry.exitRequestedAt + _exitDelay;\n        if (block',
    replace: 'uint256 freeAt = entry.exitRequestedAt;\n        if (block',
    breaks: 'invariant_I6_',
  },
  {
    name: 'I6: who is leaving cannot be slashed',
    file: 'StakeManager.sol',
    find: 'if (amount == 0) revert StakeManagerNothingThere(account);',
    replace: 'if (amount == 0 || entry.exitRequestedAt != 0) revert StakeManagerNothingThere(account);',
    breaks: 'invariant_I6_',
  },
  {
    name: 'I7: a conviction never comes',
    file: 'Disputes.sol',
    find: 'if (dispute.challengerDue) revert DisputesNotYourMove(id);\n        if (block.timestamp < dispute.deadline)',
    replace:
      'if (dispute.challengerDue) revert DisputesNotYourMove(id);\n        if (block.timestamp < dispute.deadline + 1 days)',
    breaks: 'invariant_I7_',
  },
  {
    name: 'I7: a move gives no time back',
    file: 'Disputes.sol',
    find: '_disputes[id].deadline = uint40(block.timestamp + _answerS);',
    replace: '_disputes[id].deadline = uint40(block.timestamp + 10 * _answerS);',
    breaks: 'invariant_I7_',
  },
  {
    name: 'I7: what is slashed comes back whole',
    file: 'StakeManager.sol',
    find: 'compensation = cut * _compensationBps / WHOLE;',
    replace: 'compensation = cut - reward;',
    breaks: 'invariant_I7_',
  },
  {
    name: 'I8: nothing is final during a pause',
    file: 'RoundAnchor.sol',
    find: 'return slot != 0 && parent != 0 && _isSettled(slot)',
    replace: 'return block.timestamp >= _control.pausedUntil && slot != 0 && parent != 0 && _isSettled(slot)',
    breaks: 'invariant_I8_',
  },
  {
    name: 'I8: a pause has no bound',
    file: 'RoundAnchor.sol',
    find: 'if (duration > MAX_PAUSE_SECONDS) revert RoundAnchorPauseTooLong(duration, MAX_PAUSE_SECONDS);',
    replace: '',
    breaks: 'invariant_I8_',
  },
  {
    name: 'I8: a pause keeps stakes in',
    file: 'StakeManager.sol',
    find: 'uint256 freeAt = entry.exitRequestedAt + _exitDelay;\n        if (block',
    replace: 'uint256 freeAt = Math.max(entry.exitRequestedAt + _exitDelay, _anchor.pausedUntil());\n        if (block',
    breaks: 'invariant_I8_PausesBlockNoExit',
  },
  {
    name: 'I9: anyone sets the parameters',
    file: 'Params.sol',
    find: 'function set(Values calldata values) external onlyTimelock {',
    replace: 'function set(Values calldata values) external {',
    breaks: 'invariant_I9_',
  },
  {
    name: 'I9: old versions read as the latest',
    file: 'Params.sol',
    find: 'revert ParamsUnknownVersion(version);\n        return _versions[version - 1];',
    replace: 'revert ParamsUnknownVersion(version);\n        return _versions[_versions.length - 1];',
    breaks: 'invariant_I9_NothingChangesForAnOpenJob',
  },
  {
    name: 'I9: an open job pays the fee of today',
    file: 'Registry.sol',
    find: '_params.valuesAt(job.paramsVersion).feeBps',
    replace: '_feeOfToday()',
    also: [
      'function _known(bytes32 id)',
      'function _feeOfToday() private view returns (uint256) { (, IParams.Values memory values) = _params.current(); return values.feeBps; } function _known(bytes32 id)',
    ],
    breaks: 'invariant_I9_',
  },
  {
    name: 'I10: attestations are not counted',
    file: 'RoundAnchor.sol',
    find: 'if (count < _attestationQuorum) revert RoundAnchorTooFewAttestations(count, _attestationQuorum);',
    replace: '',
    breaks: 'invariant_I10_FinalNeeds',
  },
  {
    name: 'I10: a rewind leaves its rounds attested',
    file: 'RoundAnchor.sol',
    find: 'if (_progress.attested >= firstRound) {',
    replace: 'if (_progress.attested > lastRound) {',
    breaks: 'invariant_I10_FinalNeeds',
  },
  {
    name: 'I10: the held round itself is not held',
    file: 'RoundAnchor.sol',
    find: 'limit = now_.heldFrom - 1;',
    replace: 'limit = now_.heldFrom;',
    breaks: 'invariant_I10_FinalNeeds',
  },
  {
    name: 'I10: a dispute holds nothing',
    file: 'Disputes.sol',
    find: 'if (_disputed.add(dispute.round)) _anchor.hold(_disputed.least());',
    replace: '_disputed.add(dispute.round);',
    breaks: 'invariant_I10_NothingDisputed',
  },
  {
    name: 'I10: the end of one dispute frees all rounds',
    file: 'Disputes.sol',
    find: 'if (_disputed.remove(dispute.round)) _anchor.hold(_disputed.least());',
    replace: '_disputed.remove(dispute.round);\n        _anchor.hold(0);',
    breaks: 'invariant_I10_NothingDisputed',
  },
];

const contracts = join(packageRoot(), 'contracts');
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'fedanchor-mutations-'));
  symlinkSync(join(packageRoot(), 'node_modules'), join(root, 'node_modules'), 'dir');
  // Unit tests would only make every compilation longer.
  const isWanted = (file: string) => !file.endsWith('.t.sol') || file.endsWith('Invariants.t.sol');
  for (const file of readdirSync(contracts)) {
    if (!file.endsWith('.sol') && !['interfaces', 'lib', 'test'].includes(file)) continue;
    cpSync(join(contracts, file), join(root, 'contracts', file), { recursive: true, filter: isWanted });
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The older code generator compiles three times as fast, and bugs are bugs in either; nobody reads the counterexamples. */
const QUICKLY = { FOUNDRY_VIA_IR: 'false', FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: '0' };

function runInvariants(root: string, test: string): Promise<{ hold: boolean; output: string }> {
  const args = [join(contracts, 'forge.mjs'), 'test', '--match-test', test];
  const env = { ...process.env, ...QUICKLY, FEDANCHOR_FORGE_ROOT: root };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { encoding: 'utf8', env, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      resolve({ hold: error === null, output: stdout + stderr });
    });
  });
}

// An invariant that no bug can break proves nothing.
describe('the invariants', () => {
  it('hold on the contracts as they are', async () => {
    const { hold, output } = await runInvariants(root, 'invariant_');
    expect(output).not.toContain('[FAIL');
    expect(hold, output).toBe(true);
  });

  // A compiler uses one core: two bugs are planted at a time, each in a copy of its own.
  describe.concurrent('of which', () => {
    const copies: string[] = [];
    const waiting: ((copy: string) => void)[] = [];

    beforeAll(() => {
      const second = `${root}-2`;
      cpSync(root, second, { recursive: true, verbatimSymlinks: true });
      copies.push(root, second);
    });
    afterAll(() => rmSync(`${root}-2`, { recursive: true, force: true }));

    const take = (): Promise<string> => {
      const copy = copies.pop();
      return copy === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(copy);
    };
    const giveBack = (copy: string): void => {
      const next = waiting.shift();
      if (next) next(copy);
      else copies.push(copy);
    };

    it.each(mutations)('one notices $name', async ({ file, find, replace, also, breaks }) => {
      const copy = await take();
      const path = join(copy, 'contracts', file);
      const source = readFileSync(path, 'utf8');
      try {
        expect(source.split(find), 'the text to change must be there exactly once').toHaveLength(2);
        const changed = source.replace(find, replace);
        writeFileSync(path, also === undefined ? changed : changed.replace(...also));
        const { hold, output } = await runInvariants(copy, breaks);
        expect(output).toContain('[FAIL');
        expect(hold).toBe(false);
      } finally {
        writeFileSync(path, source);
        giveBack(copy);
      }
    });
  });
});
