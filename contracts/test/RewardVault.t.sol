// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FedToken} from "../FedToken.sol";
import {RewardVault} from "../RewardVault.sol";
import {RoundAnchor} from "../RoundAnchor.sol";
import {IRewardVault} from "../interfaces/IRewardVault.sol";
import {RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {Base} from "./Base.sol";
import {BlockingToken, FeeToken, HookToken, PlainToken, Reenterer} from "./Mocks.sol";
import {Tree} from "./Tree.sol";

contract RewardVaultTest is Base {
    address private constant ALICE = address(0xA11CE);
    address private constant BOB = address(0xB0B);
    address private constant CAROL = address(0xCA401);
    address private constant SPONSOR = address(0x5F05);
    uint64 private constant JOB_ENDS = 1_700_000_000 + 30 days;
    uint64 private constant CLAIM_PERIOD = 7 days;

    RoundAnchor private anchor;
    RewardVault private vault;
    PlainToken private token;

    function setUp() public {
        vm.warp(1_700_000_000);
        token = new PlainToken();
        open(address(token));
        token.mint(SPONSOR, 1000);
        vm.startPrank(SPONSOR);
        token.approve(address(vault), type(uint256).max);
        vault.fund(1000);
        vm.stopPrank();
    }

    function open(address token_) private {
        anchor = new RoundAnchor(jobOf(RING, WINDOW));
        vault = new RewardVault(IERC20(token_), anchor, JOB_ENDS, CLAIM_PERIOD);
    }

    /// @dev The entitlements of four accounts as a tree of two levels.
    function treeOf(address third, uint256 a, uint256 b, uint256 c) private pure returns (Tree.Four memory) {
        return Tree.four([ALICE, BOB, third, address(0xD0D0)], [a, b, c, 1]);
    }

    function anchored(uint64 round, bytes32 root, uint256 total) private returns (RoundRecord memory record) {
        record = recordOf(round);
        record.rewardsRoot = root;
        record.rewardsTotal = total;
        vm.prank(COORDINATOR);
        anchor.anchor(record);
    }

    function activated(uint64 round, bytes32 root, uint256 total) private returns (RoundRecord memory record) {
        record = anchored(round, root, total);
        skip((WINDOW + 1) * TICK);
        vault.activate(record);
    }

    function claimOf(address account, uint256 cumulative, bytes32[] memory proof)
        private
        pure
        returns (IRewardVault.Claim memory)
    {
        return IRewardVault.Claim(account, cumulative, proof);
    }

    function checkPaid(address account, uint256 amount) private view {
        check(token.balanceOf(account) == amount && vault.claimed(account) == amount, "paid");
    }

    function test_ActivationNeedsAFinalRecord() public {
        RoundRecord memory record = anchored(1, keccak256("root"), 50);
        vm.expectPartialRevert(IRewardVault.RewardVaultNotFinal.selector);
        vault.activate(record);
        skip((WINDOW + 1) * TICK);
        record.rewardsRoot = keccak256("mine");
        vm.expectPartialRevert(IRewardVault.RewardVaultNotFinal.selector);
        vault.activate(record);
        record.rewardsRoot = keccak256("root");
        vault.activate(record);
        vm.expectPartialRevert(IRewardVault.RewardVaultStaleRound.selector);
        vault.activate(record);
    }

    function test_RewoundRecordIsNeverActivated() public {
        RoundRecord memory record = anchored(1, keccak256("root"), 50);
        vm.prank(ARBITER);
        anchor.rewind(record, genesisHead(address(anchor)), record);
        skip((WINDOW + 1) * TICK);
        vm.expectPartialRevert(IRewardVault.RewardVaultNotFinal.selector);
        vault.activate(record);
    }

    function test_RecordOfAnotherJobsAnchorIsRefused() public {
        RoundAnchor other = new RoundAnchor(jobOf(RING, WINDOW));
        RoundRecord memory record = recordOf(1);
        vm.prank(COORDINATOR);
        other.anchor(record);
        skip((WINDOW + 1) * TICK);
        check(other.isFinal(record), "final there");
        vm.expectPartialRevert(IRewardVault.RewardVaultNotFinal.selector);
        vault.activate(record);
    }

    function test_OneClaimCoversSkippedRounds() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        vault.claim(ALICE, 10, tree.proofs[0]);
        tree = treeOf(CAROL, 15, 40, 60);
        activated(2, treeOf(CAROL, 12, 30, 40).root, 83);
        activated(3, tree.root, 116);
        vault.claim(ALICE, 15, tree.proofs[0]);
        vault.claim(BOB, 40, tree.proofs[1]);
        checkPaid(ALICE, 15);
        checkPaid(BOB, 40);
    }

    function test_DoubleClaimIsRefused() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        vault.claim(ALICE, 10, tree.proofs[0]);
        vm.expectPartialRevert(IRewardVault.RewardVaultNothingToClaim.selector);
        vault.claim(ALICE, 10, tree.proofs[0]);
        checkPaid(ALICE, 10);
    }

    function test_DuplicatesInsideClaimManyPayOnce() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        IRewardVault.Claim[] memory claims = new IRewardVault.Claim[](4);
        claims[0] = claimOf(ALICE, 10, tree.proofs[0]);
        claims[1] = claims[0];
        claims[2] = claimOf(BOB, 20, tree.proofs[1]);
        claims[3] = claims[0];
        check(vault.claimMany(claims) == 30, "paid once each");
        check(vault.claimMany(claims) == 0, "nothing left");
        checkPaid(ALICE, 10);
        checkPaid(BOB, 20);
    }

    function test_BatchIsNotBrickedByAFrontRunClaim() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        IRewardVault.Claim[] memory claims = new IRewardVault.Claim[](2);
        claims[0] = claimOf(ALICE, 10, tree.proofs[0]);
        claims[1] = claimOf(BOB, 20, tree.proofs[1]);
        vm.prank(BOB);
        vault.claim(ALICE, 10, tree.proofs[0]);
        check(vault.claimMany(claims) == 20, "the rest is paid");
        checkPaid(BOB, 20);
    }

    function test_InnerNodeCannotPoseAsALeaf() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        // The 64 bytes under the root, read as (account, cumulative), with the proof that is left: none.
        bytes32 left = Tree.pair(tree.leaves[0], tree.leaves[1]);
        bytes32 right = Tree.pair(tree.leaves[2], tree.leaves[3]);
        (bytes32 low, bytes32 high) = left < right ? (left, right) : (right, left);
        check(keccak256(abi.encode(low, high)) == tree.root, "a single hash of 64 bytes would be the root");
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidProof.selector);
        vault.claim(address(uint160(uint256(low))), uint256(high), new bytes32[](0));
        // Half way down the same.
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = right;
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidProof.selector);
        vault.claim(address(uint160(uint256(tree.leaves[0]))), uint256(tree.leaves[1]), proof);
    }

    function test_ShiftedProofIsRefused() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        for (uint256 i = 1; i < 4; ++i) {
            vm.expectPartialRevert(IRewardVault.RewardVaultInvalidProof.selector);
            vault.claim(ALICE, 10, tree.proofs[i]);
        }
        bytes32[] memory swapped = new bytes32[](2);
        (swapped[0], swapped[1]) = (tree.proofs[0][1], tree.proofs[0][0]);
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidProof.selector);
        vault.claim(ALICE, 10, swapped);
    }

    function test_WrongDepthIsRefused() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        bytes32[] memory short = new bytes32[](1);
        short[0] = tree.proofs[0][0];
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidProof.selector);
        vault.claim(ALICE, 10, short);
        bytes32[] memory long = new bytes32[](3);
        (long[0], long[1]) = (tree.proofs[0][0], tree.proofs[0][1]);
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidProof.selector);
        vault.claim(ALICE, 10, long);
    }

    function testFuzz_NobodyClaimsWhatTheTreeDoesNotHold(address account, uint256 cumulative, uint8 which) public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        vm.assume(account != tree.accounts[which % 4] || cumulative != tree.amounts[which % 4]);
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidProof.selector);
        vault.claim(account, cumulative, tree.proofs[which % 4]);
    }

    function test_NothingCanBeClaimedBeforeTheFirstActivation() public {
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidProof.selector);
        vault.claim(ALICE, 1, new bytes32[](0));
    }

    function test_RootThatLowersEntitlementsTakesNothingBack() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        vault.claim(ALICE, 10, tree.proofs[0]);
        tree = treeOf(CAROL, 4, 36, 40);
        activated(2, tree.root, 81);
        vm.expectPartialRevert(IRewardVault.RewardVaultNothingToClaim.selector);
        vault.claim(ALICE, 4, tree.proofs[0]);
        checkPaid(ALICE, 10);
    }

    function test_TotalsNeverFall() public {
        activated(1, keccak256("one"), 61);
        RoundRecord memory record = anchored(2, keccak256("two"), 60);
        skip((WINDOW + 1) * TICK);
        vm.expectPartialRevert(IRewardVault.RewardVaultFallingTotal.selector);
        vault.activate(record);
    }

    function test_SumOverThePotIsStopped() public {
        // The tree promises 210, the record says 60.
        Tree.Four memory tree = treeOf(CAROL, 59, 50, 100);
        activated(1, tree.root, 60);
        vault.claim(ALICE, 59, tree.proofs[0]);
        vm.expectPartialRevert(IRewardVault.RewardVaultOverdrawn.selector);
        vault.claim(BOB, 50, tree.proofs[1]);
        IRewardVault.Claim[] memory claims = new IRewardVault.Claim[](3);
        claims[0] = claimOf(BOB, 50, tree.proofs[1]);
        claims[1] = claimOf(CAROL, 100, tree.proofs[2]);
        claims[2] = claimOf(address(0xD0D0), 1, tree.proofs[3]);
        check(vault.claimMany(claims) == 1, "what fits is paid");
        check(token.balanceOf(address(vault)) == 940, "the pot is kept");
    }

    function test_UnfundedRewardsAreNotActivated() public {
        open(address(token));
        RoundRecord memory record = anchored(1, keccak256("root"), 50);
        skip((WINDOW + 1) * TICK);
        vm.expectPartialRevert(IRewardVault.RewardVaultInsufficientFunds.selector);
        vault.activate(record);
        token.mint(SPONSOR, 50);
        vm.startPrank(SPONSOR);
        token.approve(address(vault), 50);
        vault.fund(50);
        vm.stopPrank();
        vault.activate(record);
    }

    function test_RefundAndActivationBoundarySecond() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        RoundRecord memory second = anchored(2, tree.root, 61);
        vm.warp(uint256(JOB_ENDS) + CLAIM_PERIOD - 1);
        vm.expectPartialRevert(IRewardVault.RewardVaultNotEnded.selector);
        vault.refund(SPONSOR);
        vault.activate(second);
        RoundRecord memory third = anchored(3, tree.root, 61);
        vm.warp(uint256(JOB_ENDS) + CLAIM_PERIOD);
        vm.expectPartialRevert(IRewardVault.RewardVaultEnded.selector);
        vault.activate(third);
        vm.expectPartialRevert(IRewardVault.RewardVaultEnded.selector);
        vault.fund(1);
        vault.refund(SPONSOR);
        check(token.balanceOf(SPONSOR) == 939, "what was never activated");
        vm.expectPartialRevert(IRewardVault.RewardVaultNothingToRefund.selector);
        vault.refund(SPONSOR);
        vault.claim(ALICE, 10, tree.proofs[0]);
        checkPaid(ALICE, 10);
    }

    function testFuzz_RefundsShareByContributionAndLeaveOnlyDust(uint64 a, uint64 b, uint64 c, uint8 spent) public {
        open(address(token));
        address[3] memory sponsors = [address(0x51), address(0x52), address(0x53)];
        uint256[3] memory sums = [bound(a, 1, 1e18), bound(b, 1, 1e18), bound(c, 1, 1e18)];
        for (uint256 i = 0; i < 3; ++i) {
            token.mint(sponsors[i], sums[i]);
            vm.startPrank(sponsors[i]);
            token.approve(address(vault), sums[i]);
            vault.fund(sums[i]);
            vm.stopPrank();
        }
        uint256 total = bound(spent, 0, sums[0] + sums[1] + sums[2] < PRICE ? sums[0] + sums[1] + sums[2] : PRICE);
        activated(1, keccak256("root"), total);
        vm.warp(uint256(JOB_ENDS) + CLAIM_PERIOD);
        uint256 left = sums[0] + sums[1] + sums[2] - total;
        uint256 returned = 0;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 share = sums[i] * left / (left + total);
            if (share == 0) continue;
            vault.refund(sponsors[i]);
            check(token.balanceOf(sponsors[i]) == share, "share");
            returned += share;
        }
        check(left - returned < 3, "less than one unit a sponsor stays");
        check(token.balanceOf(address(vault)) >= total, "activated rewards stay");
    }

    function test_ClaimerReceivesInsteadOfTheAccount() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        vm.prank(ALICE);
        vault.setClaimer(BOB);
        vault.claim(ALICE, 10, tree.proofs[0]);
        check(token.balanceOf(BOB) == 10 && vault.claimed(ALICE) == 10 && vault.claimed(BOB) == 0, "to the claimer");
        vm.prank(ALICE);
        vault.setClaimer(address(0));
        check(vault.claimerOf(ALICE) == address(0), "taken back");
        check(vault.claimed(ALICE) == 10, "what was paid is remembered");
    }

    function test_VaultCannotPayItself() public {
        vm.prank(ALICE);
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidRecipient.selector);
        vault.setClaimer(address(vault));
        Tree.Four memory tree = treeOf(address(vault), 10, 20, 30);
        activated(1, tree.root, 61);
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidRecipient.selector);
        vault.claim(address(vault), 30, tree.proofs[2]);
        IRewardVault.Claim[] memory claims = new IRewardVault.Claim[](1);
        claims[0] = claimOf(address(vault), 30, tree.proofs[2]);
        check(vault.claimMany(claims) == 0, "left out");
    }

    function test_FeeOnTransferTokenCountsWhatArrives() public {
        FeeToken fee = new FeeToken();
        open(address(fee));
        fee.mint(SPONSOR, 1000);
        vm.startPrank(SPONSOR);
        fee.approve(address(vault), 1000);
        vault.fund(1000);
        vm.stopPrank();
        (uint256 funded,,,) = vault.totals();
        check(funded == 900 && vault.contributionOf(SPONSOR) == 900, "what arrived");
        check(fee.balanceOf(address(vault)) == 900, "balance");
    }

    function test_RebasingTokenCanOnlyDelayPayments() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        token.burn(address(vault), 985);
        vault.claim(ALICE, 10, tree.proofs[0]);
        vm.expectPartialRevert(0xe450d38c); // ERC20InsufficientBalance
        vault.claim(BOB, 20, tree.proofs[1]);
        check(vault.claimed(BOB) == 0, "nothing is written off");
        token.mint(address(vault), 985);
        vault.claim(BOB, 20, tree.proofs[1]);
        checkPaid(BOB, 20);
    }

    function test_DonatedTokensChangeNoAccounts() public {
        token.mint(address(vault), 500);
        (uint256 funded, uint256 activatedTotal, uint256 paid, uint256 refunded) = vault.totals();
        check(funded == 1000 && activatedTotal == 0 && paid == 0 && refunded == 0, "totals");
    }

    function test_BlockedAccountDoesNotBrickABatch() public {
        BlockingToken blocking = new BlockingToken();
        open(address(blocking));
        blocking.mint(SPONSOR, 100);
        vm.startPrank(SPONSOR);
        blocking.approve(address(vault), 100);
        vault.fund(100);
        vm.stopPrank();
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        activated(1, tree.root, 61);
        blocking.setBlocked(ALICE, true);
        IRewardVault.Claim[] memory claims = new IRewardVault.Claim[](2);
        claims[0] = claimOf(ALICE, 10, tree.proofs[0]);
        claims[1] = claimOf(BOB, 20, tree.proofs[1]);
        check(vault.claimMany(claims) == 20, "the other is paid");
        check(vault.claimed(ALICE) == 0, "the blocked one keeps its claim");
        vm.expectRevert();
        vault.claim(ALICE, 10, tree.proofs[0]);
        blocking.setBlocked(ALICE, false);
        vault.claim(ALICE, 10, tree.proofs[0]);
        check(blocking.balanceOf(ALICE) == 10, "paid later");
    }

    function test_ReentranceThroughAHookPaysNothingTwice() public {
        HookToken hook = new HookToken();
        open(address(hook));
        hook.mint(SPONSOR, 100);
        vm.startPrank(SPONSOR);
        hook.approve(address(vault), 100);
        vault.fund(100);
        vm.stopPrank();
        Reenterer thief = new Reenterer();
        Tree.Four memory tree = treeOf(address(thief), 10, 20, 30);
        activated(1, tree.root, 61);
        IRewardVault.Claim[] memory claims = new IRewardVault.Claim[](1);
        claims[0] = claimOf(BOB, 20, tree.proofs[1]);
        // Another account's claim, open to everyone: refused only because the vault is at work.
        thief.prepare(vault, abi.encodeCall(vault.claimMany, (claims)));
        vault.claim(address(thief), 30, tree.proofs[2]);
        check(thief.entered() == 0, "the guard held");
        check(hook.balanceOf(address(thief)) == 30 && hook.balanceOf(BOB) == 0, "paid once");
        (,, uint256 paid,) = vault.totals();
        check(paid == 30, "accounted once");
    }

    function test_PauseOfAnchoringNeverBlocksClaims() public {
        Tree.Four memory tree = treeOf(CAROL, 10, 20, 30);
        RoundRecord memory record = anchored(1, tree.root, 61);
        vm.prank(GUARDIAN);
        anchor.pause(7 days);
        skip((WINDOW + 1) * TICK);
        vault.activate(record);
        vault.claim(ALICE, 10, tree.proofs[0]);
        checkPaid(ALICE, 10);
    }

    function test_ConstructorBounds() public {
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidParameter.selector);
        new RewardVault(IERC20(address(1)), anchor, JOB_ENDS, 0);
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidParameter.selector);
        new RewardVault(IERC20(address(token)), RoundAnchor(address(1)), JOB_ENDS, 0);
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidParameter.selector);
        new RewardVault(IERC20(address(token)), anchor, 1_600_000_000, 0);
    }

    function test_FedTokenMintsItsSupplyOnce() public {
        FedToken fed = new FedToken(ALICE, 1e27);
        check(fed.totalSupply() == 1e27 && fed.balanceOf(ALICE) == 1e27, "supply");
        vm.prank(ALICE);
        fed.delegate(ALICE);
        check(fed.getVotes(ALICE) == 1e27 && fed.nonces(ALICE) == 0, "votes");
    }
}
