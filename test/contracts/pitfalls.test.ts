import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../contracts/package-root.ts';

/** What contracts of this kind have failed by elsewhere, and the Solidity tests that show each of it to fail here. */
const pitfalls: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  RoundAnchor: {
    'replayed records': ['test_ReplayedRecordIsRefused', 'test_ReplayAfterARingTurnIsRefused'],
    'skipped rounds': ['test_SkippedRoundIsRefused', 'testFuzz_OnlyTheNextRoundIsAccepted'],
    'zero roots': ['test_ZeroRootsAreRefused'],
    'cross-chain records': ['test_CrossChainHeadsDiffer'],
    'cross-job records': ['test_CrossJobRecordsAreRefused', 'test_RecordOfAnotherJobsAnchorIsRefused'],
    'ring exhaustion': ['test_RingExhaustionStopsAnchoringUntilTheWindowPasses', 'test_BatchCannotOvertakeItself'],
    'anchoring during a dispute': [
      'test_Pitfall_AnchoringDuringADispute',
      'test_Pitfall_AnchoringDuringADisputeThatIsLost',
    ],
    're-inclusion after a reorg': ['test_SameHeadInAnotherBlockAfterAReorg'],
    'wrong calldata length': ['test_WrongCalldataLengthIsRefusedOrWithoutEffect', 'test_DirtyHighBitsAreRefused'],
  },
  RewardVault: {
    'double claim': ['test_DoubleClaimIsRefused'],
    'duplicates inside claimMany': ['test_DuplicatesInsideClaimManyPayOnce'],
    '64-byte-leaf second preimage': ['test_InnerNodeCannotPoseAsALeaf'],
    'shifted index': ['test_ShiftedProofIsRefused'],
    'wrong depth': ['test_WrongDepthIsRefused'],
    'a root that lowers entitlements': ['test_RootThatLowersEntitlementsTakesNothingBack', 'test_TotalsNeverFall'],
    'sum over the pot': ['test_SumOverThePotIsStopped', 'test_UnfundedRewardsAreNotActivated'],
    dust: ['testFuzz_RefundsShareByContributionAndLeaveOnlyDust', 'testFuzz_ASplitPaysTheWholePot'],
    'a batch bricked by a front-run single claim': ['test_BatchIsNotBrickedByAFrontRunClaim'],
    'the refund/claim boundary second': ['test_RefundAndActivationBoundarySecond'],
    'fee-on-transfer tokens': ['test_FeeOnTransferTokenCountsWhatArrives'],
    'rebasing tokens': ['test_RebasingTokenCanOnlyDelayPayments'],
    'ERC-777 tokens and reentrancy': ['test_ReentranceThroughAHookPaysNothingTwice'],
    'blacklisting tokens': ['test_BlockedAccountDoesNotBrickABatch'],
  },
  StakeManager: {
    'exit before slash': ['test_ExitBeforeSlashIsTooEarly', 'invariant_I6_ExitingStakeIsSlashableToItsLastWindow'],
    'double slash for one fault': ['test_DoubleSlashForOneFaultIsRefused'],
    'rounding to zero': ['test_EquivocationIsSlashedUpwards'],
    'malleable signatures': ['test_MalleableAndForeignSignaturesAreRefused'],
    'ecrecover 0': ['test_EcrecoverZeroProvesNothing'],
    'ERC-1271': ['test_ContractAccountsAnswerByErc1271'],
  },
  Disputes: {
    'challenger == coordinator': ['test_ChallengingOneselfLosesMoney'],
    'last-second challenge': ['test_LastSecondChallengeHoldsTheRound'],
    'unanswered challenge': ['test_UnansweredChallengeEndsByTheClock'],
    'perpetual dispute': ['test_Pitfall_NoDisputeIsPerpetual', 'test_Pitfall_RepeatedChallengesEndWithTheWindow'],
    'signed division rounding': ['test_Pitfall_SignedDivisionRoundsDown', 'testFuzz_RoundDivIsTheNearestInteger'],
    'reverting receiver': ['test_RevertingReceiverBlocksNothing'],
    'unavailable data': [
      'test_Pitfall_UnavailableDataLosesTheDispute',
      'test_MissedAttestationDeadlineIsRewoundByAnyone',
    ],
  },
  Governance: {
    'flash-loaned votes': ['test_Pitfall_FlashLoanedVotesCountNothing'],
    'late quorum': ['test_Pitfall_LateQuorumProlongsTheVote'],
    'proposal front-running': ['test_Pitfall_ProposalFrontRunningIsRefusedWithTheProposersSuffix'],
  },
  Registry: {
    squatting: ['test_Pitfall_SquattingIsImpossible'],
    'first-writer front-running': [
      'test_Pitfall_FirstWriterFrontRunningOfARegistration',
      'test_Pitfall_FirstWriterFrontRunningOfADataset',
    ],
  },
};

const folder = join(packageRoot(), 'contracts', 'test');
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.t.sol'))
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n');

describe('every known pitfall has a test', () => {
  const all = Object.entries(pitfalls).flatMap(([contract, each]) =>
    Object.entries(each).map(([pitfall, tests]) => ({ contract, pitfall, tests })),
  );
  it.each(all)('$contract: $pitfall', ({ tests }) => {
    const missing = tests.filter((name) => !sources.includes(`function ${name}(`));
    expect(missing).toEqual([]);
  });

  it('and every test that says it is of one is in this list', () => {
    const listed = new Set(all.flatMap(({ tests }) => tests));
    const named = [...sources.matchAll(/function (test_Pitfall_\w+)\(/g)].map(([, name]) => name as string);
    expect(named.filter((name) => !listed.has(name))).toEqual([]);
  });
});
