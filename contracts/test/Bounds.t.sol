// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {RewardVault} from "../RewardVault.sol";
import {IDisputes} from "../interfaces/IDisputes.sol";
import {IGramJudge} from "../interfaces/IGramJudge.sol";
import {Facts, Kind} from "../interfaces/IJudge.sol";
import {IRewardVault} from "../interfaces/IRewardVault.sol";
import {IRoundAnchor, RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {IStakeManager} from "../interfaces/IStakeManager.sol";
import {Openings} from "../lib/Openings.sol";
import {GramRules} from "../lib/GramRules.sol";
import {Plans} from "../lib/Plans.sol";
import {RoundSet} from "../lib/RoundSet.sol";
import {Selections} from "../lib/Selections.sol";
import {SignedData} from "../lib/SignedData.sol";
import {Court} from "./Court.sol";

/// @dev What contracts cannot be created with, and calls that come too early, too late, from others or for nothing.
contract BoundsTest is Court {
    using RoundSet for RoundSet.Set;

    uint256 private constant N = 5;
    bytes32[] private thePlan;
    RoundSet.Set private set;

    function setUp() public {
        thePlan = plan("TrMean", "{}", 1, "FedAvg", 0);
        build(thePlan, N);
    }

    function honest() private view returns (World memory world) {
        world = worldOf(thePlan, N, 1);
        compute(world);
        commit(world, address(anchor), frame(1, 0));
    }

    // Constructors.

    /// @dev Within a call of its own: where a cheat code itself is what reverts, forge ends the test there and calls it passed.
    function create(string calldata what, bytes calldata parameters) external {
        deployer.deployCode(what, parameters);
    }

    function refuseStakes(IStakeManager.Terms memory terms, string memory parameter) private {
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.StakeManagerInvalidParameter.selector, parameter));
        this.create("StakeManager.sol:StakeManager", abi.encode(terms));
    }

    function test_StakeManagerBounds() public {
        IStakeManager.Terms memory terms = stakeTerms();
        terms.token = address(1);
        refuseStakes(terms, "token");
        terms = stakeTerms();
        terms.anchor = address(1);
        refuseStakes(terms, "anchor");
        terms = stakeTerms();
        terms.minStake = 0;
        refuseStakes(terms, "minStake");
        terms = stakeTerms();
        terms.faultBps = 0;
        refuseStakes(terms, "faultBps");
        terms.faultBps = 10_001;
        refuseStakes(terms, "faultBps");
        terms = stakeTerms();
        terms.proverBps = 5000;
        refuseStakes(terms, "proverBps");
        terms = stakeTerms();
        terms.compensationBps = 8000;
        refuseStakes(terms, "compensationBps");
    }

    function refuseDisputes(IDisputes.Terms memory terms, string memory parameter) private {
        IRoundAnchor.Job memory job = anchor.jobParameters();
        // An anchor that names this very address as its arbiter.
        job.arbiter = deployer.computeCreateAddress(address(this), deployer.getNonce(address(this)) + 2);
        terms.anchor = deployer.deployCode("RoundAnchor.sol:RoundAnchor", abi.encode(job));
        IStakeManager.Terms memory staking = stakeTerms();
        staking.anchor = terms.anchor;
        if (terms.stakes == address(0)) {
            terms.stakes = deployer.deployCode("StakeManager.sol:StakeManager", abi.encode(staking));
        } else {
            deployer.deployCode("StakeManager.sol:StakeManager", abi.encode(staking));
        }
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputesInvalidParameter.selector, parameter));
        this.create("Disputes.sol:Disputes", abi.encode(terms));
    }

    function test_DisputesBounds() public {
        IDisputes.Terms memory terms = disputes.terms();
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputesInvalidParameter.selector, "anchor"));
        this.create("Disputes.sol:Disputes", abi.encode(terms));
        terms.stakes = address(stakes);
        refuseDisputes(terms, "stakes");
        terms = fresh();
        terms.blocks = 0;
        refuseDisputes(terms, "blocks");
        terms = fresh();
        terms.blocks = 2 ** 20 + 1;
        refuseDisputes(terms, "blocks");
        terms = fresh();
        terms.challengerBond = 0;
        refuseDisputes(terms, "challengerBond");
        terms = fresh();
        terms.answerS = ANSWER_S + 1;
        refuseDisputes(terms, "answerS");
        // 60 % are burned, and 400 can be erased.
        terms = fresh();
        terms.slashAmount = 667;
        refuseDisputes(terms, "slashAmount");
    }

    function fresh() private view returns (IDisputes.Terms memory terms) {
        terms = disputes.terms();
        terms.stakes = address(0);
    }

    function refuseAnchor(IRoundAnchor.Job memory job, string memory parameter) private {
        vm.expectRevert(abi.encodeWithSelector(IRoundAnchor.RoundAnchorInvalidParameter.selector, parameter));
        this.create("RoundAnchor.sol:RoundAnchor", abi.encode(job));
    }

    function test_RoundAnchorBounds() public {
        IRoundAnchor.Job memory job = jobOf(RING, WINDOW);
        job.job = 0;
        refuseAnchor(job, "job");
        job = jobOf(RING, WINDOW);
        job.maxRounds = 0;
        refuseAnchor(job, "maxRounds");
        job = jobOf(RING, WINDOW);
        job.attestationQuorum = 1;
        refuseAnchor(job, "roster");
    }

    // StakeManager.

    function test_NothingComesOfNothing() public {
        address stranger = address(0x57);
        bytes4 nothing = IStakeManager.StakeManagerNothingThere.selector;
        vm.startPrank(stranger);
        vm.expectPartialRevert(nothing);
        stakes.requestExit();
        vm.expectPartialRevert(nothing);
        stakes.exit();
        vm.expectPartialRevert(nothing);
        stakes.requestBondExit();
        vm.expectPartialRevert(nothing);
        stakes.returnBond();
        vm.expectPartialRevert(nothing);
        stakes.withdraw();
        vm.expectPartialRevert(IStakeManager.StakeManagerTooLittle.selector);
        stakes.stake(0);
        vm.expectPartialRevert(IStakeManager.StakeManagerTooLittle.selector);
        stakes.postBond(0);
        vm.stopPrank();
        give(stranger, 1000);
        vm.prank(stranger);
        vm.expectPartialRevert(IStakeManager.StakeManagerTooLittle.selector);
        stakes.stake(MIN_STAKE - 1);
    }

    function test_LeavingIsAskedForOnce() public {
        address participant = keys.addr(keysOf(N)[0]);
        vm.startPrank(participant);
        stakes.requestExit();
        vm.expectPartialRevert(IStakeManager.StakeManagerExiting.selector);
        stakes.requestExit();
        vm.stopPrank();
        give(challenger, 1000);
        vm.startPrank(challenger);
        stakes.postBond(1000);
        stakes.requestBondExit();
        vm.expectPartialRevert(IStakeManager.StakeManagerExiting.selector);
        stakes.requestBondExit();
        vm.stopPrank();
        skip(stakes.exitDelay());
        // Made coordinator meanwhile, it answers for new rounds.
        vm.prank(GUARDIAN);
        anchor.setCoordinator(challenger);
        vm.prank(challenger);
        vm.expectPartialRevert(IStakeManager.StakeManagerStillBound.selector);
        stakes.returnBond();
        vm.prank(GUARDIAN);
        anchor.setCoordinator(coordinator);
        vm.prank(challenger);
        stakes.returnBond();
        check(token.balanceOf(challenger) == 101_000, "returned");
    }

    function test_WhoHasNothingLeftCannotBeCutAgain() public {
        uint256 key = keysOf(N)[1];
        vm.prank(keys.addr(key));
        stakes.requestExit();
        skip(stakes.exitDelay());
        vm.prank(keys.addr(key));
        stakes.exit();
        SignedData.Update memory a;
        (a.job, a.round) = (keccak256("job"), 1);
        SignedData.Update memory b = abi.decode(abi.encode(a), (SignedData.Update));
        b.samples = 1;
        bytes memory one = signed(key, SignedData.digest(address(anchor), SignedData.hash(a)));
        bytes memory two = signed(key, SignedData.digest(address(anchor), SignedData.hash(b)));
        vm.expectPartialRevert(IStakeManager.StakeManagerNothingThere.selector);
        stakes.proveEquivocation(keys.addr(key), a, one, b, two);
    }

    /// @dev A second fault while leaving: there is no place on the list to give up any more.
    function test_WhoIsLeavingIsCutAgain() public {
        uint256 key = keysOf(N)[1];
        for (uint64 round = 1; round <= 2; ++round) {
            SignedData.Update memory a;
            (a.job, a.round) = (keccak256("job"), round);
            SignedData.Update memory b = abi.decode(abi.encode(a), (SignedData.Update));
            b.samples = 1;
            bytes memory one = signed(key, SignedData.digest(address(anchor), SignedData.hash(a)));
            bytes memory two = signed(key, SignedData.digest(address(anchor), SignedData.hash(b)));
            stakes.proveEquivocation(keys.addr(key), a, one, b, two);
        }
        (uint256 amount,,) = stakes.stakeOf(keys.addr(key));
        check(amount == MIN_STAKE / 4, "half, and half again");
        check(stakes.participants().length == N - 1, "one is gone");
    }

    function test_TheListOfParticipantsHasAnEnd() public {
        for (uint256 i = N; i < 1000; ++i) {
            address account = address(uint160(0x10000 + i));
            give(account, MIN_STAKE);
            vm.prank(account);
            stakes.stake(MIN_STAKE);
        }
        check(stakes.publishRoster().code.length == 20_001, "a thousand fit");
        give(address(0xFFFF), MIN_STAKE);
        vm.prank(address(0xFFFF));
        vm.expectPartialRevert(IStakeManager.StakeManagerFull.selector);
        stakes.stake(MIN_STAKE);
    }

    // RoundAnchor and RewardVault.

    function test_ViewsOfTheAnchor() public {
        World memory world = honest();
        anchorIt(world);
        (bool anchored, uint256 finalAt) = anchor.finality(2);
        check(!anchored && finalAt == 0, "nothing is anchored yet");
        (uint64 attested, uint64 heldFrom, uint64 limit) = anchor.progress();
        check(attested == 0 && heldFrom == 0 && limit == type(uint24).max, "nothing to attest, nothing held");
        check(anchor.pausedUntil() == 0, "never paused");
        (uint256 blockNumber, uint256 timestamp) = anchor.deployment();
        check(blockNumber != 0 && timestamp == 1_700_000_000, "deployed");
        RoundRecord memory fine = world.record;
        fine.round = 2;
        fine.updateBits = 65;
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorInvalidParameter.selector);
        vm.prank(coordinator);
        anchor.anchor(fine);
    }

    function test_ARewindNamesTheLatestRecord() public {
        World memory world = honest();
        anchorIt(world);
        RoundRecord memory second = abi.decode(abi.encode(world.record), (RoundRecord));
        second.round = 2;
        vm.prank(coordinator);
        anchor.anchor(second);
        bytes26 parentHead = anchor.headOf(0);
        RoundRecord memory forged = abi.decode(abi.encode(second), (RoundRecord));
        forged.location = keccak256("another");
        vm.startPrank(address(disputes));
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorUnknownRecord.selector);
        anchor.rewind(world.record, parentHead, forged);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorUnknownRecord.selector);
        anchor.rewind(world.record, parentHead, world.record);
        anchor.rewind(world.record, parentHead, second);
        vm.stopPrank();
    }

    /// @dev Whoever anchors rewound rounds again answers for them, though it came after them.
    function test_ANewCoordinatorAnswersForWhatItAnchorsAgain() public {
        World memory world = honest();
        anchorIt(world);
        vm.prank(GUARDIAN);
        anchor.setCoordinator(challenger);
        check(anchor.coordinatorOf(1) == coordinator && anchor.coordinatorOf(2) == challenger, "each for its own");
        bytes26 parentHead = anchor.headOf(0);
        vm.prank(address(disputes));
        anchor.rewind(world.record, parentHead, world.record);
        check(anchor.coordinatorOf(1) == challenger, "for what it anchors again");
    }

    function test_VaultRefusesNothingAndForgeries() public {
        RewardVault vault = new RewardVault(token, anchor, uint64(time()) + 1000, 1000);
        vm.expectPartialRevert(IRewardVault.RewardVaultNothingFunded.selector);
        vault.fund(0);
        (uint64 round, bytes32 root) = vault.activation();
        check(round == 0 && root == 0, "nothing is activated");
        IRewardVault.Claim[] memory claims = new IRewardVault.Claim[](1);
        (claims[0].account, claims[0].cumulative) = (challenger, 5);
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidProof.selector);
        vault.claimMany(claims);
        vm.expectPartialRevert(IRewardVault.RewardVaultInvalidParameter.selector);
        new RewardVault(IERC20(address(1)), anchor, uint64(time()), 0);
    }

    // Moves out of turn.

    function test_MovesOutOfTurnAreRefused() public {
        World memory world = honest();
        anchorIt(world);
        Facts memory facts = factsOf(world);
        bytes memory subject = abi.encode(uint256(1), uint256(3));
        uint256 id = open(world, Kind.Gram, subject);
        int256[] memory sums = new int256[](BLOCKS);
        for (uint256 i = 0; i < BLOCKS; ++i) {
            sums[i] = productOver(world, 1, 3, i, 1);
        }
        Openings.Leaf memory row = gramOpening(world, 1);
        IGramJudge.BlockOpening memory opening;
        bytes4 notYours = IDisputes.DisputesNotYourMove.selector;
        vm.expectPartialRevert(notYours);
        disputes.answer(id, facts, subject, "");
        vm.expectPartialRevert(notYours);
        disputes.openEntry(id, facts, subject, row, sums);
        vm.expectPartialRevert(notYours);
        disputes.openBlock(id, facts, subject, opening);
        vm.expectPartialRevert(notYours);
        disputes.abandon(id);
        vm.expectPartialRevert(IDisputes.DisputesNotMoot.selector);
        disputes.dismiss(id);
        vm.prank(coordinator);
        disputes.openEntry(id, facts, subject, row, sums);
        vm.expectPartialRevert(notYours);
        disputes.pickSum(id, 0, sums);
        vm.expectPartialRevert(notYours);
        vm.prank(coordinator);
        disputes.postSums(id, sums);
        vm.expectPartialRevert(IDisputes.DisputesWrongTime.selector);
        disputes.abandon(id);
        vm.startPrank(challenger);
        vm.expectPartialRevert(IDisputes.DisputesWrongSums.selector);
        disputes.pickSum(id, BLOCKS, sums);
        sums[0] += 1;
        vm.expectPartialRevert(IDisputes.DisputesWrongSums.selector);
        disputes.pickSum(id, 0, sums);
        vm.stopPrank();
    }

    // Two records in a row.

    function pair() private returns (World memory first, IDisputes.Opening memory opening) {
        first = honest();
        anchorIt(first);
        World memory second = worldOf(thePlan, N, 2);
        second.parentModel = first.model;
        compute(second);
        commit(second, address(anchor), frame(2, 0));
        second.record.rewardsTotal = 2 * uint256(PRICE);
        opening.record = second.record;
        opening.parent = new RoundRecord[](1);
        opening.parent[0] = first.record;
        opening.grandparentHead = anchor.headOf(0);
        opening.parentHead = anchor.headOf(1);
        opening.plan = thePlan;
    }

    function anchorSecond(IDisputes.Opening memory opening) private {
        vm.prank(coordinator);
        anchor.anchor(opening.record);
    }

    function test_AContinuousPairIsNotPunished() public {
        (, IDisputes.Opening memory opening) = pair();
        anchorSecond(opening);
        vm.expectPartialRevert(IDisputes.DisputesContinuous.selector);
        disputes.proveDiscontinuity(opening, opening.record);
        IDisputes.Opening memory blind = abi.decode(abi.encode(opening), (IDisputes.Opening));
        blind.parent = new RoundRecord[](0);
        vm.expectPartialRevert(IDisputes.DisputesUnknownRecord.selector);
        disputes.proveDiscontinuity(blind, opening.record);
        opening.grandparentHead = bytes26(uint208(1));
        vm.expectPartialRevert(IDisputes.DisputesUnknownRecord.selector);
        disputes.proveDiscontinuity(opening, opening.record);
    }

    function test_FallingRewardsAreProvenWithoutAnAnswer() public {
        (, IDisputes.Opening memory opening) = pair();
        opening.record.rewardsTotal = PRICE - 1;
        anchorSecond(opening);
        disputes.proveDiscontinuity(opening, opening.record);
        check(anchor.headOf(2) == 0, "rewound");
    }

    function test_ASeedOutOfItsPlaceIsProvenWithoutAnAnswer() public {
        (, IDisputes.Opening memory opening) = pair();
        opening.record.seedIndex = 3;
        opening.record.seed = seedAt(3);
        anchorSecond(opening);
        disputes.proveDiscontinuity(opening, opening.record);
        check(anchor.headOf(2) == 0, "rewound");
        check(disputes.potOf(1).lastRound == 2 && disputes.potOf(1).perRound == SLASH / 5, "compensation is set aside");
    }

    function test_AStretchOfSeedsTooLongToWalkIsTakenOnTrust() public {
        World memory world = honest();
        world.record.attempt = 50_001;
        world.record.seedIndex = 50_002;
        anchorIt(world);
        IDisputes.Opening memory opening = openingOf(world);
        vm.expectPartialRevert(IDisputes.DisputesContinuous.selector);
        disputes.proveDiscontinuity(opening, world.record);
    }

    function test_CompensationOfTheEarlierOfTwoRounds() public {
        (World memory first, IDisputes.Opening memory opening) = pair();
        anchorSecond(opening);
        bytes memory subject = abi.encode(uint256(0));
        IDisputes.Opening memory one;
        (one.record, one.parentHead, one.plan) = (first.record, anchor.headOf(0), thePlan);
        vm.prank(challenger);
        uint256 id = disputes.challenge(Kind.Coordinate, one, subject);
        skip(ANSWER_S);
        bytes26 genesis = one.parentHead;
        disputes.convict(id, first.record, genesis, opening.record);
        bytes32[] memory later = new bytes32[](1);
        later[0] = keccak256(abi.encode(opening.record));
        bytes32[] memory proof = contributionProof(first, 0);
        disputes.compensate(1, first.record, genesis, later, 0, first.contributions[0], proof);
        check(stakes.owedTo(first.contributions[0].participant) == SLASH / 5 / 2 / N, "half of the pot, a fifth of it");
    }

    function test_ARoundThatIsNotThereOpensNothing() public {
        World memory world = honest();
        IDisputes.Opening memory opening = openingOf(world);
        vm.expectPartialRevert(IDisputes.DisputesUnknownRecord.selector);
        vm.prank(challenger);
        disputes.challenge(Kind.Scores, opening, "");
    }

    /// @dev The record's own plan hash must fit the words: the anchor has compared it with the manifest's.
    function test_ForeignPlansOpenNothing() public {
        World memory world = honest();
        anchorIt(world);
        IDisputes.Opening memory opening = openingOf(world);
        opening.plan[2] = keccak256("{\"f\":2}");
        vm.expectPartialRevert(IDisputes.DisputesUnknownRecord.selector);
        vm.prank(challenger);
        disputes.challenge(Kind.Scores, opening, "");
        opening.plan = new bytes32[](7);
        vm.expectPartialRevert(Plans.PlansTooShort.selector);
        vm.prank(challenger);
        disputes.challenge(Kind.Scores, opening, "");
    }

    // Libraries.

    function test_TheLeastOfASetOfRounds() public {
        check(set.add(7) && !set.add(9) && set.add(3), "the least has changed, or not");
        check(set.least() == 3, "three");
        check(set.remove(3) && set.least() == 7, "seven");
        check(!set.add(7) && !set.remove(7) && set.remove(7) && set.least() == 9, "counted, not only marked");
        // Across the end of a word, and of the whole.
        set.add(1032);
        check(set.remove(9) && set.least() == 1032, "far off");
        check(set.remove(1032) && set.least() == 0, "none");
    }

    function testFuzz_TheLeastOfASetIsTheLeast(uint16[6] calldata offsets, uint8 order) public {
        uint64 start = 5000;
        for (uint256 i = 0; i < 6; ++i) {
            set.add(start + offsets[i] % 1024);
        }
        for (uint256 left = 6; left > 0; --left) {
            uint256 index = (order + left) % 6;
            uint64 least = type(uint64).max;
            for (uint256 i = 0; i < 6; ++i) {
                uint64 each = start + offsets[i] % 1024;
                if (!removed[i] && each < least) least = each;
            }
            check(set.least() == least, "the least");
            while (removed[index]) {
                index = (index + 1) % 6;
            }
            removed[index] = true;
            set.remove(start + offsets[index] % 1024);
        }
        check(set.least() == 0, "none");
    }

    bool[6] private removed;

    function test_ScoresOfVeryFew() public pure {
        int256[] memory alone = new int256[](4);
        // One update of square 9 that is the aggregate, in units that are 256 times as fine.
        (alone[0], alone[1], alone[2], alone[3]) = (9, 9 * 256, 9 * 256, 9 * 65_536);
        bool[] memory active = new bool[](1);
        check(GramRules.confirmationScores(alone, active)[0] == 0, "without a part in the aggregate");
        active[0] = true;
        check(GramRules.confirmationScores(alone, active)[0] == 9, "alone it confirms itself");
    }

    function test_SelectionsAreReadFromTheirParameters() public pure {
        check(countOf("CGE", "{}", 2, 7) == 5 && countOf("CGE", "{\"x\":1}", 2, 7) == 0, "CGE");
        check(countOf("MoNNA", "{\"idx\":6}", 2, 7) == 5 && countOf("MoNNA", "{\"idx\":7}", 2, 7) == 0, "MoNNA");
        check(countOf("MoNNA", "{\"idx\":-1}", 2, 7) == 0, "no such row");
        check(countOf("Krum", "{\"neighbours\":\"original\"}", 2, 7) == 1, "Krum as published");
        check(countOf("Krum", "{\"neighbours\":\"epfl\"}", 2, 7) == 0, "needs roots");
        check(countOf("Krum", "{\"neighbours\":\"byzfl\"}", 3, 8) == 0, "beyond its bound");
        check(countOf("MultiKrum", "{\"m\":\"n-f\",\"neighbours\":\"byzfl\"}", 2, 7) == 5, "n - f");
        check(countOf("MultiKrum", "{\"m\":\"n-f-2\",\"neighbours\":\"original\"}", 2, 7) == 3, "n - f - 2");
        check(countOf("MultiKrum", "{\"m\":4,\"neighbours\":\"byzfl\"}", 2, 7) == 4, "four");
        check(countOf("MultiKrum", "{\"m\":6,\"neighbours\":\"byzfl\"}", 2, 7) == 0, "more than n - f");
        check(countOf("CGE", "{}", 7, 7) == 0, "all faulty");
        bytes32[] memory words = plan("CGE", "{}", 2, "FedAvg", 0);
        check(Plans.seedCommitment(words) == seedAt(0), "the last word");
    }

    function countOf(string memory rule, string memory parameters, uint256 f, uint256 n)
        private
        pure
        returns (uint256)
    {
        return Selections.read(plan(rule, parameters, f, "FedAvg", 0), n).count;
    }
}
