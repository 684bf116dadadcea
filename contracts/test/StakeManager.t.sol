// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IRoster} from "../interfaces/IRoster.sol";
import {IRoundAnchor} from "../interfaces/IRoundAnchor.sol";
import {IStakeManager} from "../interfaces/IStakeManager.sol";
import {Attestations} from "../lib/Attestations.sol";
import {SignedData} from "../lib/SignedData.sol";
import {BlockingToken, FeeToken} from "./Mocks.sol";
import {Court} from "./Court.sol";

/// @dev A contract account that accepts whatever its owner says.
contract Wallet {
    bytes32 public accepted;
    bytes32 public alsoAccepted;

    function accept(bytes32 one, bytes32 another) external {
        (accepted, alsoAccepted) = (one, another);
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == accepted || digest == alsoAccepted ? this.isValidSignature.selector : bytes4(0xffffffff);
    }

    function stake(IStakeManager stakes, uint256 amount) external {
        stakes.stake(amount);
    }
}

/// @dev Stakes, bonds, equivocation and attestations.
contract StakeManagerTest is Court {
    uint256 private constant N = 6;
    // Of secp256k1's group.
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function setUp() public {
        quorum = 4;
        build(plan("TrMean", "{}", 1, "FedAvg", 0), N);
    }

    function update(uint64 round, uint32 attempt, string memory content)
        private
        pure
        returns (SignedData.Update memory)
    {
        return SignedData.Update({
            job: keccak256("job"),
            round: round,
            attempt: attempt,
            parentRoot: modelRoot(0),
            updateRoot: keccak256(bytes(content)),
            samples: 1,
            largestMagnitude: 1,
            datasetCommitment: 0
        });
    }

    function digestOf(SignedData.Update memory statement) private view returns (bytes32) {
        return SignedData.digest(address(anchor), SignedData.hash(statement));
    }

    function prove(uint256 key, SignedData.Update memory a, SignedData.Update memory b) private {
        bytes memory signatureA = signed(key, digestOf(a));
        bytes memory signatureB = signed(key, digestOf(b));
        vm.prank(challenger);
        stakes.proveEquivocation(keys.addr(key), a, signatureA, b, signatureB);
    }

    function refuse(uint256 key, SignedData.Update memory a, SignedData.Update memory b, bytes4 why) private {
        bytes memory signatureA = signed(key, digestOf(a));
        bytes memory signatureB = signed(key, digestOf(b));
        vm.expectPartialRevert(why);
        stakes.proveEquivocation(keys.addr(key), a, signatureA, b, signatureB);
    }

    function balanced() private view {
        IStakeManager.Totals memory sums = stakes.totals();
        uint256 held = sums.stakes + sums.bonds + sums.locked + sums.pots + sums.owed;
        check(token.balanceOf(address(stakes)) == held, "I5");
    }

    // Equivocation.

    function test_EquivocationIsSlashedUpwards() public {
        uint256 key = keysOf(N)[0];
        vm.prank(challenger);
        token.transfer(keys.addr(key), 1);
        vm.prank(keys.addr(key));
        stakes.stake(1);
        prove(key, update(1, 0, "a"), update(1, 0, "b"));
        (uint256 left,,) = stakes.stakeOf(keys.addr(key));
        check(left == 500, "half of 1,001, rounded against the slashed");
        check(stakes.owedTo(challenger) == 100, "a fifth of it");
        balanced();
    }

    function test_DoubleSlashForOneFaultIsRefused() public {
        uint256 key = keysOf(N)[0];
        prove(key, update(1, 0, "a"), update(1, 0, "b"));
        refuse(key, update(1, 0, "a"), update(1, 0, "c"), IStakeManager.StakeManagerAlreadySlashed.selector);
        // Another round is another fault.
        prove(key, update(2, 0, "a"), update(2, 0, "b"));
    }

    /// @dev A rewound or retried round asks again with another attempt, and an honest client answers again.
    function test_AnotherAttemptIsNoEquivocation() public {
        uint256 key = keysOf(N)[1];
        bytes4 none = IStakeManager.StakeManagerNoEquivocation.selector;
        refuse(key, update(1, 0, "a"), update(1, 1, "b"), none);
        refuse(key, update(1, 0, "a"), update(2, 0, "b"), none);
        refuse(key, update(1, 0, "a"), update(1, 0, "a"), none);
        SignedData.Update memory foreign = update(1, 0, "b");
        foreign.job = keccak256("other");
        refuse(key, update(1, 0, "a"), foreign, none);
    }

    function test_MalleableAndForeignSignaturesAreRefused() public {
        uint256 key = keysOf(N)[2];
        SignedData.Update memory a = update(1, 0, "a");
        SignedData.Update memory b = update(1, 0, "b");
        bytes memory good = signed(key, digestOf(a));
        (uint8 v, bytes32 r, bytes32 s) = keys.sign(key, digestOf(b));
        bytes memory high = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        bytes memory other = signed(key + 1, digestOf(b));
        address account = keys.addr(key);
        bytes4 why = IStakeManager.StakeManagerForeignSignature.selector;
        vm.expectPartialRevert(why);
        stakes.proveEquivocation(account, a, good, b, high);
        vm.expectPartialRevert(why);
        stakes.proveEquivocation(account, a, good, b, other);
        vm.expectPartialRevert(why);
        stakes.proveEquivocation(account, a, good, b, "");
    }

    /// @dev ecrecover answers zero for nonsense: nobody is the zero address.
    function test_EcrecoverZeroProvesNothing() public {
        bytes memory nonsense = abi.encodePacked(bytes32(0), bytes32(0), uint8(27));
        vm.expectPartialRevert(IStakeManager.StakeManagerForeignSignature.selector);
        stakes.proveEquivocation(address(0), update(1, 0, "a"), nonsense, update(1, 0, "b"), nonsense);
    }

    function test_ContractAccountsAnswerByErc1271() public {
        Wallet wallet = new Wallet();
        give(address(wallet), MIN_STAKE);
        wallet.stake(stakes, MIN_STAKE);
        SignedData.Update memory a = update(1, 0, "a");
        SignedData.Update memory b = update(1, 0, "b");
        vm.expectPartialRevert(IStakeManager.StakeManagerForeignSignature.selector);
        stakes.proveEquivocation(address(wallet), a, "", b, "");
        wallet.accept(digestOf(a), digestOf(b));
        stakes.proveEquivocation(address(wallet), a, "", b, "");
        (uint256 left,,) = stakes.stakeOf(address(wallet));
        check(left == MIN_STAKE / 2, "slashed");
    }

    // Coming and going.

    function test_ExitBeforeSlashIsTooEarly() public {
        uint256 key = keysOf(N)[0];
        address account = keys.addr(key);
        vm.prank(account);
        stakes.requestExit();
        check(stakes.participants().length == N - 1, "off the list");
        skip(stakes.exitDelay() - 1);
        vm.prank(account);
        vm.expectPartialRevert(IStakeManager.StakeManagerStillBound.selector);
        stakes.exit();
        // I6: up to the last second it is slashable.
        prove(key, update(1, 0, "a"), update(1, 0, "b"));
        skip(1);
        vm.prank(account);
        stakes.exit();
        check(token.balanceOf(account) == MIN_STAKE / 2, "what was left");
        balanced();
    }

    function test_EligibilityEndsWithTheRequest() public {
        address account = keys.addr(keysOf(N)[0]);
        uint256 joined = time();
        check(stakes.isEligible(account, joined) && !stakes.isEligible(account, joined - 1), "from joining on");
        skip(5000);
        vm.prank(account);
        stakes.requestExit();
        check(stakes.isEligible(account, time() + ROUND_S), "a round that was open");
        check(!stakes.isEligible(account, time() + ROUND_S + 1), "one that opened after");
        vm.prank(account);
        vm.expectPartialRevert(IStakeManager.StakeManagerExiting.selector);
        stakes.stake(1);
    }

    function test_WhoHasLeftMayComeAgain() public {
        address account = keys.addr(keysOf(N)[3]);
        vm.startPrank(account);
        stakes.requestExit();
        skip(stakes.exitDelay());
        stakes.exit();
        vm.expectPartialRevert(IStakeManager.StakeManagerNothingThere.selector);
        stakes.exit();
        check(!stakes.isEligible(account, time() + 1), "gone");
        stakes.stake(MIN_STAKE);
        check(stakes.isEligible(account, time()), "back");
    }

    function test_TheCoordinatorsBondIsBoundWhileItIsCoordinator() public {
        vm.prank(coordinator);
        vm.expectPartialRevert(IStakeManager.StakeManagerStillBound.selector);
        stakes.requestBondExit();
        vm.prank(GUARDIAN);
        anchor.setCoordinator(address(0xC1));
        vm.startPrank(coordinator);
        stakes.requestBondExit();
        vm.expectPartialRevert(IStakeManager.StakeManagerStillBound.selector);
        stakes.returnBond();
        skip(stakes.exitDelay());
        stakes.returnBond();
        check(token.balanceOf(coordinator) == 100_000, "all of it");
        balanced();
    }

    function test_OnlyTheArbiterTouchesMoney() public {
        bytes4 why = IStakeManager.StakeManagerUnauthorizedAccount.selector;
        vm.startPrank(coordinator);
        vm.expectPartialRevert(why);
        stakes.slash(coordinator, 1, coordinator);
        vm.expectPartialRevert(why);
        stakes.lock(challenger, 1);
        vm.expectPartialRevert(why);
        stakes.unlock(coordinator, 1);
        vm.expectPartialRevert(why);
        stakes.compensate(coordinator, 1);
    }

    function test_FeesAreTheStakersOwn() public {
        FeeToken fee = new FeeToken();
        IStakeManager.Terms memory terms = stakeTerms();
        terms.token = address(fee);
        IStakeManager other = IStakeManager(deployer.deployCode("StakeManager.sol:StakeManager", abi.encode(terms)));
        fee.mint(address(this), 10_000);
        fee.approve(address(other), 10_000);
        other.stake(2000);
        check(other.totals().stakes == 1800 && fee.balanceOf(address(other)) == 1800, "what arrived");
        address arbiter = anchor.jobParameters().arbiter;
        vm.prank(arbiter);
        vm.expectPartialRevert(IStakeManager.StakeManagerIncompleteTransfer.selector);
        other.lock(address(this), 100);
    }

    /// @dev A receiver that cannot receive holds up nobody but itself: slashing credits, it does not pay.
    function test_RevertingReceiverBlocksNothing() public {
        BlockingToken blocking = new BlockingToken();
        IStakeManager.Terms memory terms = stakeTerms();
        terms.token = address(blocking);
        IStakeManager other = IStakeManager(deployer.deployCode("StakeManager.sol:StakeManager", abi.encode(terms)));
        blocking.mint(coordinator, 1000);
        vm.startPrank(coordinator);
        blocking.approve(address(other), 1000);
        other.postBond(1000);
        vm.stopPrank();
        blocking.setBlocked(challenger, true);
        vm.prank(anchor.jobParameters().arbiter);
        other.slash(coordinator, 1000, challenger);
        check(other.owedTo(challenger) == 200, "credited");
        vm.prank(challenger);
        vm.expectRevert();
        other.withdraw();
        blocking.setBlocked(challenger, false);
        vm.prank(challenger);
        other.withdraw();
        check(blocking.balanceOf(challenger) == 200, "fetched later");
    }

    // Attestations.

    function attest(uint256[] memory positions, uint64 round) private view returns (bytes memory packed) {
        bytes32 digest = SignedData.digest(
            address(anchor), SignedData.hashAttestation(keccak256("job"), round, anchor.headOf(round))
        );
        address[] memory list = stakes.participants();
        uint256[] memory all = keysOf(N);
        for (uint256 i = 0; i < positions.length; ++i) {
            for (uint256 j = 0; j < N; ++j) {
                if (keys.addr(all[j]) != list[positions[i]]) continue;
                (uint8 v, bytes32 r, bytes32 s) = keys.sign(all[j], digest);
                packed = bytes.concat(
                    packed, abi.encodePacked(uint16(positions[i]), r, uint256(s) | uint256(v - 27) << 255)
                );
            }
        }
    }

    function some(uint256 a, uint256 b, uint256 c, uint256 d) private pure returns (uint256[] memory list) {
        list = new uint256[](4);
        (list[0], list[1], list[2], list[3]) = (a, b, c, d);
    }

    function anchored() private returns (World memory world) {
        stakes.publishRoster();
        world = worldOf(plan("TrMean", "{}", 1, "FedAvg", 0), N, 1);
        compute(world);
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
    }

    function test_NothingIsFinalWithoutItsAttestations() public {
        World memory world = anchored();
        skip((WINDOW + 1) * TICK);
        check(!anchor.isFinal(world.record), "I10: not attested");
        bytes memory packed = attest(some(0, 2, 3, 5), 1);
        bytes26 head = anchor.headOf(1);
        anchor.finalize(1, head, packed);
        check(anchor.isFinal(world.record), "attested");
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorAlreadyAttested.selector);
        anchor.finalize(1, head, packed);
    }

    function test_AttestationsDoNotShortenTheWindow() public {
        World memory world = anchored();
        anchor.finalize(1, anchor.headOf(1), attest(some(0, 1, 2, 3), 1));
        check(!anchor.isFinal(world.record), "I10: in its window");
        skip((WINDOW + 1) * TICK);
        check(anchor.isFinal(world.record), "by itself");
    }

    function test_BadAttestationsAreRefused() public {
        anchored();
        bytes26 head = anchor.headOf(1);
        bytes memory good = attest(some(0, 1, 2, 3), 1);
        bytes4 malformed = Attestations.AttestationsMalformed.selector;
        refuseAttestations(head, attest(some(0, 1, 1, 3), 1), malformed);
        refuseAttestations(head, attest(some(3, 2, 1, 0), 1), malformed);
        refuseAttestations(head, slice(good, 0, good.length - 1), malformed);
        refuseAttestations(head, slice(good, 0, 3 * 66), IRoundAnchor.RoundAnchorTooFewAttestations.selector);
        refuseAttestations(head, "", IRoundAnchor.RoundAnchorTooFewAttestations.selector);
        refuseAttestations(bytes26(uint208(1)), good, IRoundAnchor.RoundAnchorUnknownRecord.selector);
        // Another's place, nonsense that recovers to zero, a place beyond the list.
        good[1] = bytes1(uint8(0));
        good[67] = bytes1(uint8(2));
        refuseAttestations(head, slice(good, 0, 132), Attestations.AttestationsForeignSignature.selector);
        refuseAttestations(head, new bytes(66), Attestations.AttestationsForeignSignature.selector);
        bytes memory beyond = new bytes(66);
        beyond[1] = bytes1(uint8(N));
        refuseAttestations(head, beyond, malformed);
    }

    function refuseAttestations(bytes26 head, bytes memory packed, bytes4 why) private {
        vm.expectPartialRevert(why);
        anchor.finalize(1, head, packed);
    }

    function test_MissedAttestationDeadlineIsRewoundByAnyone() public {
        World memory world = anchored();
        (, uint256 endsAt) = anchor.finality(1);
        bytes26 parentHead = anchor.headOf(0);
        vm.warp(endsAt + 10 * TICK - 1);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorNotOverdue.selector);
        anchor.rewindUnattested(world.record, parentHead, world.record);
        skip(1);
        anchor.rewindUnattested(world.record, parentHead, world.record);
        check(anchor.headOf(1) == 0 && anchor.minAttempt() == 1, "attempt + 1");
        // Withholding is not attributable, hence not slashed.
        (uint256 bond,) = stakes.bondOf(coordinator);
        check(bond == 3 * SLASH, "not slashed");
    }

    /// @dev What was attested and is rewound in its window has to be attested again.
    function test_ARewoundRoundIsAttestedNoMore() public {
        World memory world = anchored();
        anchor.finalize(1, anchor.headOf(1), attest(some(0, 1, 2, 3), 1));
        bytes26 parentHead = anchor.headOf(0);
        vm.prank(address(disputes));
        anchor.rewind(world.record, parentHead, world.record);
        (uint64 attested,, uint64 limit) = anchor.progress();
        check(attested == 0 && limit == 0, "I10: attested no more");
    }

    function test_AnAttestedRoundIsNotRewoundByAnyone() public {
        World memory world = anchored();
        anchor.finalize(1, anchor.headOf(1), attest(some(0, 1, 2, 3), 1));
        bytes26 parentHead = anchor.headOf(0);
        skip(10_000);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorNotOverdue.selector);
        anchor.rewindUnattested(world.record, parentHead, world.record);
    }

    function test_TheRosterHoldsThoseWhoAreThere() public {
        vm.prank(keys.addr(keysOf(N)[0]));
        stakes.requestExit();
        address store = stakes.publishRoster();
        check(IRoster(address(stakes)).rosterStore() == store, "store");
        address[] memory list = stakes.participants();
        bytes memory code = store.code;
        check(code.length == 1 + 20 * list.length && code[0] == 0, "length");
        for (uint256 i = 0; i < list.length; ++i) {
            check(address(bytes20(bytes(slice(code, 1 + 20 * i, 20)))) == list[i], "address");
        }
    }

    error Each(uint256 gasUsed);

    /// @dev CHAIN.md: 5,000 gas an attestation beyond a bare head, calldata included.
    function test_GasOfAnAttestation() public {
        anchored();
        bytes26 head = anchor.headOf(1);
        bytes memory four = attest(some(0, 1, 2, 3), 1);
        uint256[] memory lastTwo = new uint256[](2);
        (lastTwo[0], lastTwo[1]) = (4, 5);
        bytes memory six = bytes.concat(four, attest(lastTwo, 1));
        uint256 start = vm.snapshotState();
        // Once for nothing, so that both find the same accounts and slots warm.
        anchor.finalize(1, head, six);
        vm.revertToState(start);
        uint256 before = gasleft();
        anchor.finalize(1, head, four);
        uint256 withFour = before - gasleft();
        vm.revertToState(start);
        before = gasleft();
        anchor.finalize(1, head, six);
        uint256 each = (before - gasleft() - withFour) / 2 + 66 * 16;
        if (each < 3000 || each > 5000) revert Each(each);
    }
}
