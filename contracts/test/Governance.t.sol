// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {FedToken} from "../FedToken.sol";
import {Params} from "../Params.sol";
import {RoundAnchor} from "../RoundAnchor.sol";
import {IParams} from "../interfaces/IParams.sol";
import {IRoundAnchor, RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {Base} from "./Base.sol";
import {Parliament} from "./Parliament.sol";

/// @dev Has for one call what it borrows, and tries to rule with it.
contract FlashVoter {
    FedToken private immutable _fed;
    IGovernor private immutable _governor;

    constructor(FedToken fed, IGovernor governor) {
        (_fed, _governor) = (fed, governor);
        fed.delegate(address(this));
    }

    function borrowAnd(address lender, uint256 amount, bytes calldata call) external returns (bytes memory answer) {
        require(_fed.transferFrom(lender, address(this), amount), "loan");
        bool done = true;
        if (call.length != 0) (done, answer) = address(_governor).call(call);
        require(_fed.transfer(lender, amount), "repaid");
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }
}

contract GovernanceTest is Parliament {
    function setUp() public {
        found();
    }

    function feeMotion(uint16 feeBps) private view returns (Motion memory) {
        return motion(address(params), abi.encodeCall(IParams.set, (valuesOf(feeBps))), "Another fee");
    }

    function test_AProposalIsVotedQueuedAndExecuted() public {
        Motion memory one = feeMotion(250);
        uint256 id = proposeBy(ALICE, one);
        check(stateOf(id) == IGovernor.ProposalState.Pending, "nobody votes yet");
        mine(VOTING_DELAY + 1);
        vote(ALICE, id, 1);
        vote(CAROL, id, 1);
        (, uint256 forVotes,) = governor.proposalVotes(id);
        check(forVotes == 160_000 ether, "delegated votes count for the delegate");
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        queue(one);
        mine(VOTING_PERIOD);
        queue(one);
        check(stateOf(id) == IGovernor.ProposalState.Queued, "queued");
        skip(DELAY_S - 1);
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        execute(one);
        (uint256 before,) = params.current();
        check(before == 1, "nothing happens before the delay is over");
        skip(1);
        // By anyone: what was voted is nobody's to withhold.
        vm.prank(BOB);
        execute(one);
        (uint256 version, IParams.Values memory values) = params.current();
        check(version == 2 && values.feeBps == 250, "the parameter has changed");
        check(params.valuesAt(1).feeBps == 500, "the version before stays readable");
        check(stateOf(id) == IGovernor.ProposalState.Executed, "executed");
    }

    function test_WhoHasDelegatedDoesNotVoteToo() public {
        uint256 id = proposeBy(ALICE, feeMotion(250));
        mine(VOTING_DELAY + 1);
        vote(BOB, id, 1);
        (, uint256 forVotes,) = governor.proposalVotes(id);
        check(forVotes == 0, "Bob's votes are Carol's");
        vote(CAROL, id, 1);
        vm.expectPartialRevert(IGovernor.GovernorAlreadyCastVote.selector);
        vote(CAROL, id, 1);
    }

    function test_TooFewVotesChangeNothing() public {
        Motion memory one = feeMotion(250);
        vm.expectPartialRevert(IGovernor.GovernorInsufficientProposerVotes.selector);
        proposeBy(BOB, one);
        // A quorum of 4 % of a million.
        require(fed.transfer(address(0xF1), 39_999 ether), "transfer");
        vm.prank(address(0xF1));
        fed.delegate(address(0xF1));
        mine(1);
        uint256 id = proposeBy(address(0xF1), one);
        mine(VOTING_DELAY + 1);
        vote(address(0xF1), id, 1);
        mine(VOTING_PERIOD);
        check(stateOf(id) == IGovernor.ProposalState.Defeated, "no quorum");
    }

    /// @dev Pitfall: flash-loaned votes. Neither a proposal nor a vote, nor presence in the very block that is counted.
    function test_Pitfall_FlashLoanedVotesCountNothing() public {
        FlashVoter voter = new FlashVoter(fed, governor);
        fed.approve(address(voter), type(uint256).max);
        Motion memory one = feeMotion(1000);
        bytes memory proposing =
            abi.encodeCall(IGovernor.propose, (one.targets, one.values, one.calls, one.description));
        vm.expectPartialRevert(IGovernor.GovernorInsufficientProposerVotes.selector);
        voter.borrowAnd(address(this), 800_000 ether, proposing);

        uint256 id = proposeBy(ALICE, one);
        mine(VOTING_DELAY);
        check(blocks.getBlockNumber() == governor.proposalSnapshot(id), "this block's votes count");
        voter.borrowAnd(address(this), 800_000 ether, "");
        mine(1);
        voter.borrowAnd(address(this), 800_000 ether, abi.encodeCall(IGovernor.castVote, (id, 1)));
        (, uint256 forVotes,) = governor.proposalVotes(id);
        check(governor.hasVoted(id, address(voter)) && forVotes == 0, "a vote of no weight");
        vote(ALICE, id, 0);
        mine(VOTING_PERIOD);
        check(stateOf(id) == IGovernor.ProposalState.Defeated, "borrowed votes decide nothing");
    }

    /// @dev Pitfall: late quorum. Who waits until the last block to bring the quorum gives the others time.
    function test_Pitfall_LateQuorumProlongsTheVote() public {
        uint256 id = proposeBy(CAROL, feeMotion(1000));
        uint256 deadline = governor.proposalDeadline(id);
        vm.roll(deadline);
        vote(CAROL, id, 1);
        check(governor.proposalDeadline(id) == deadline + LATE_EXTENSION, "prolonged");
        mine(LATE_EXTENSION);
        check(stateOf(id) == IGovernor.ProposalState.Active, "still open");
        vote(ALICE, id, 0);
        mine(1);
        check(stateOf(id) == IGovernor.ProposalState.Defeated, "the others had time to refuse");
    }

    function test_EarlyQuorumProlongsNothing() public {
        uint256 id = proposeBy(CAROL, feeMotion(1000));
        uint256 deadline = governor.proposalDeadline(id);
        mine(VOTING_DELAY + 1);
        vote(CAROL, id, 1);
        check(governor.proposalDeadline(id) == deadline, "as announced");
    }

    /// @dev Pitfall: proposal front-running. A copy under another name would let the copier cancel it.
    function test_Pitfall_ProposalFrontRunningIsRefusedWithTheProposersSuffix() public {
        Motion memory one = feeMotion(250);
        one.description = string.concat("Another fee #proposer=", Strings.toHexString(ALICE));
        vm.expectPartialRevert(IGovernor.GovernorRestrictedProposer.selector);
        proposeBy(CAROL, one);
        uint256 id = proposeBy(ALICE, one);
        check(governor.proposalProposer(id) == ALICE, "her proposal");
        vm.expectPartialRevert(IGovernor.GovernorUnableToCancel.selector);
        vm.prank(CAROL);
        governor.cancel(one.targets, one.values, one.calls, keccak256(bytes(one.description)));
    }

    /// @dev What the suffix is for: without it the copier owns the proposal, and ends it.
    function test_WithoutTheSuffixACopierCanCancel() public {
        Motion memory one = feeMotion(250);
        proposeBy(CAROL, one);
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        proposeBy(ALICE, one);
        vm.prank(CAROL);
        uint256 id = governor.cancel(one.targets, one.values, one.calls, keccak256(bytes(one.description)));
        check(stateOf(id) == IGovernor.ProposalState.Canceled, "gone");
    }

    function test_NobodyGoesAroundTheVote() public {
        vm.expectPartialRevert(IParams.ParamsUnauthorizedAccount.selector);
        params.set(valuesOf(250));
        vm.expectPartialRevert(IParams.ParamsUnauthorizedAccount.selector);
        vm.prank(address(governor));
        params.set(valuesOf(250));
        vm.expectPartialRevert(IParams.ParamsUnauthorizedAccount.selector);
        params.setRule(keccak256("Krum"), true);
        vm.expectPartialRevert(IParams.ParamsUnauthorizedAccount.selector);
        params.setPointer(keccak256("Registry"), address(this));
        vm.expectPartialRevert(IAccessControl.AccessControlUnauthorizedAccount.selector);
        timelock.schedule(address(params), 0, "", 0, 0, DELAY_S);
        check(!timelock.hasRole(0x00, address(this)), "no administrator stays behind");
        vm.expectPartialRevert(TimelockController.TimelockUnauthorizedCaller.selector);
        timelock.updateDelay(0);
    }

    /// @dev No vote reaches an open job: its contracts know neither the timelock nor the parameters.
    function test_AnOpenJobCannotBeTouched() public {
        RoundAnchor anchor = new RoundAnchor(jobOf(RING, WINDOW));
        RoundRecord memory record = recordOf(1);
        vm.prank(COORDINATOR);
        anchor.anchor(record);
        bytes26 head = anchor.headOf(1);
        bytes[4] memory calls = [
            abi.encodeCall(IRoundAnchor.setCoordinator, (address(timelock))),
            abi.encodeCall(IRoundAnchor.pause, (1 days)),
            abi.encodeCall(IRoundAnchor.hold, (1)),
            abi.encodeCall(IRoundAnchor.rewind, (record, anchor.headOf(0), record))
        ];
        bytes32 before = keccak256(abi.encode(anchor.jobParameters()));
        for (uint256 i = 0; i < calls.length; ++i) {
            Motion memory one = motion(address(anchor), calls[i], string.concat("Touch ", Strings.toString(i)));
            uint256 id = carry(one);
            vm.expectPartialRevert(IRoundAnchor.RoundAnchorUnauthorizedAccount.selector);
            execute(one);
            check(stateOf(id) == IGovernor.ProposalState.Queued, "voted, and yet without effect");
        }
        Motion memory longer = motion(address(params), abi.encodeCall(IParams.set, (longerWindows())), "Longer windows");
        carry(longer);
        execute(longer);
        check(keccak256(abi.encode(anchor.jobParameters())) == before, "the open job is as it was");
        check(anchor.headOf(1) == head, "so is its round");
    }

    function longerWindows() private pure returns (IParams.Values memory values) {
        values = valuesOf(500);
        values.minWindowS = 7 days;
    }

    function test_BoundsHoldEvenForTheTimelock() public {
        Motion memory one = feeMotion(1001);
        carry(one);
        vm.expectRevert(abi.encodeWithSelector(IParams.ParamsOutOfBounds.selector, "feeBps"));
        execute(one);
    }

    function test_RulesAndPointersAreVotedToo() public {
        Motion memory one = motion(address(params), abi.encodeCall(IParams.setRule, (keccak256("Krum"), true)), "Krum");
        carry(one);
        execute(one);
        check(params.isAllowed(keccak256("Krum")), "allowed");
        Motion memory two =
            motion(address(params), abi.encodeCall(IParams.setPointer, (keccak256("Registry"), BOB)), "Registry");
        carry(two);
        execute(two);
        check(params.pointer(keccak256("Registry")) == BOB, "moved");
        check(params.timelock() == address(timelock), "the timelock stays");
    }

    function test_TheGovernorsOwnSettingsAreVoted() public {
        vm.expectPartialRevert(IGovernor.GovernorOnlyExecutor.selector);
        governor.setVotingDelay(0);
        Motion memory one = motion(address(governor), abi.encodeCall(governor.setVotingDelay, (77)), "Slower");
        carry(one);
        execute(one);
        check(governor.votingDelay() == 77, "voted");
        check(governor.proposalThreshold() == THRESHOLD, "the threshold stays");
        check(governor.proposalNeedsQueuing(0), "everything waits in the timelock");
    }
}

contract ParamsTest is Base {
    address private constant TIMELOCK = address(0x71);

    function good() private pure returns (IParams.Values memory) {
        return IParams.Values({
            minWindowS: 32,
            maxWindowS: 90 days,
            minAnswerS: 12,
            maxAnswerS: 7 days,
            slashCoverBps: 10_000,
            challengerBondBps: 5000,
            feeBps: 1000,
            courtRequired: true,
            registrationBond: 10_000 ether
        });
    }

    function refuse(IParams.Values memory values, string memory parameter) private {
        IParams params = deploy(good());
        vm.expectRevert(abi.encodeWithSelector(IParams.ParamsOutOfBounds.selector, parameter));
        vm.prank(TIMELOCK);
        params.set(values);
    }

    function deploy(IParams.Values memory values) private returns (IParams) {
        return IParams(address(new ParamsMaker(TIMELOCK, values).params()));
    }

    function test_EachValueHasHardBounds() public {
        IParams.Values memory values = good();
        values.minWindowS = 31;
        refuse(values, "minWindowS");
        (values.minWindowS, values.maxWindowS) = (64, 63);
        refuse(values, "minWindowS");
        (values.minWindowS, values.maxWindowS) = (32, 90 days + 1);
        refuse(values, "maxWindowS");
        values = good();
        values.minAnswerS = 11;
        refuse(values, "minAnswerS");
        (values.minAnswerS, values.maxAnswerS) = (61, 60);
        refuse(values, "minAnswerS");
        (values.minAnswerS, values.maxAnswerS) = (12, 7 days + 1);
        refuse(values, "maxAnswerS");
        values = good();
        values.slashCoverBps = 9999;
        refuse(values, "slashCoverBps");
        values.slashCoverBps = 1_000_001;
        refuse(values, "slashCoverBps");
        values = good();
        values.challengerBondBps = 0;
        refuse(values, "challengerBondBps");
        values.challengerBondBps = 5001;
        refuse(values, "challengerBondBps");
        values = good();
        values.feeBps = 1001;
        refuse(values, "feeBps");
        values = good();
        values.registrationBond = 10_000 ether + 1;
        refuse(values, "registrationBond");
    }

    function test_BoundsThemselvesAreAllowed() public {
        IParams params = deploy(good());
        IParams.Values memory values = good();
        (values.minWindowS, values.minAnswerS) = (90 days, 7 days);
        (values.slashCoverBps, values.challengerBondBps, values.feeBps) = (1_000_000, 1, 0);
        vm.prank(TIMELOCK);
        params.set(values);
        (uint256 version, IParams.Values memory held) = params.current();
        check(version == 2 && keccak256(abi.encode(held)) == keccak256(abi.encode(values)), "as they were set");
        vm.expectPartialRevert(IParams.ParamsUnknownVersion.selector);
        params.valuesAt(3);
        vm.expectPartialRevert(IParams.ParamsUnknownVersion.selector);
        params.valuesAt(0);
    }

    function test_ATimelockThereMustBe() public {
        vm.expectRevert(abi.encodeWithSelector(IParams.ParamsOutOfBounds.selector, "timelock"));
        new ParamsMaker(address(0), good());
    }

    /// @dev Whatever is set, by whomever: either it is within the bounds or it is not set.
    function testFuzz_NothingOutsideItsBoundsIsEverInForce(uint64[8] calldata raw, bool byTimelock) public {
        IParams params = deploy(good());
        // Each up to a little above its bound, so that most of them are within.
        IParams.Values memory values = IParams.Values({
            minWindowS: uint32(bound(raw[0], 30, 30 days)),
            maxWindowS: uint32(bound(raw[1], 20 days, 92 days)),
            minAnswerS: uint32(bound(raw[2], 11, 4 days)),
            maxAnswerS: uint32(bound(raw[3], 3 days, 7 days + 3 hours)),
            slashCoverBps: uint32(bound(raw[4], 9000, 1_020_000)),
            challengerBondBps: uint16(bound(raw[5], 0, 5100)),
            feeBps: uint16(bound(raw[6], 0, 1050)),
            courtRequired: raw[0] % 2 == 0,
            registrationBond: uint96(bound(raw[7], 0, 2)) * 5_001 ether
        });
        vm.prank(byTimelock ? TIMELOCK : address(this));
        try params.set(values) {} catch {}
        (uint256 version, IParams.Values memory held) = params.current();
        check(byTimelock || version == 1, "only the timelock");
        check(held.minWindowS >= 32 && held.minWindowS <= held.maxWindowS && held.maxWindowS <= 90 days, "windows");
        check(held.minAnswerS >= 12 && held.minAnswerS <= held.maxAnswerS && held.maxAnswerS <= 7 days, "answers");
        check(held.slashCoverBps >= 10_000 && held.slashCoverBps <= 1_000_000, "cover");
        check(held.challengerBondBps > 0 && held.challengerBondBps <= 5000 && held.feeBps <= 1000, "parts");
        check(held.registrationBond <= 10_000 ether, "bond");
    }
}

/// @dev Deploys parameters, so that a refusal by their constructor is a call's.
contract ParamsMaker {
    address public params;

    constructor(address timelock, IParams.Values memory values) {
        bytes32[] memory rules = new bytes32[](1);
        rules[0] = keccak256("TrMean");
        params = address(new Params(timelock, values, rules));
    }
}
