// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {CoordinateJudge} from "../CoordinateJudge.sol";
import {ContributionJudge} from "../ContributionJudge.sol";
import {ShareJudge} from "../ShareJudge.sol";
import {IDisputes} from "../interfaces/IDisputes.sol";
import {IGramJudge} from "../interfaces/IGramJudge.sol";
import {Facts, IJudge, Kind} from "../interfaces/IJudge.sol";
import {IRoundAnchor, RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {IStakeManager} from "../interfaces/IStakeManager.sol";
import {Openings} from "../lib/Openings.sol";
import {Trees} from "../lib/Trees.sol";
import {PlainToken} from "./Mocks.sol";
import {RoundLab} from "./RoundLab.sol";

/// @dev The cheat codes that deploy. Artifacts by name keep this file from being compiled with all of them inside.
interface VmDeploy {
    function deployCode(string calldata what, bytes calldata parameters) external returns (address);
    function getNonce(address account) external view returns (uint64);
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
}

/// @dev A job with stakes, bonds and disputes, and the answers that an honest coordinator would give.
abstract contract Court is RoundLab {
    VmDeploy internal constant deployer = VmDeploy(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    uint32 internal constant ANSWER_S = 600;
    uint32 internal constant ROUND_S = 1000;
    uint96 internal constant MIN_STAKE = 1000;
    uint96 internal constant CHALLENGER_BOND = 500;
    uint96 internal constant SLASH = 10_000;
    uint256 internal constant CHALLENGER_KEY = uint256(keccak256("challenger"));
    uint256 internal constant COORDINATOR_KEY = uint256(keccak256("coordinator"));

    PlainToken internal token;
    IRoundAnchor internal anchor;
    IStakeManager internal stakes;
    IDisputes internal disputes;
    address internal challenger;
    address internal coordinator;
    uint256 internal quorum;

    function courtBlocks() internal view virtual returns (uint256) {
        return BLOCKS;
    }

    function courtTensors() internal view virtual returns (bytes32) {
        return tensorRoot();
    }

    function courtGenesis() internal view virtual returns (bytes32) {
        return vectorRoot(Trees.MODEL, new bytes(COORDINATES * 4));
    }

    function build(bytes32[] memory plan_, uint256 n) internal {
        vm.warp(1_700_000_000);
        challenger = keys.addr(CHALLENGER_KEY);
        coordinator = keys.addr(COORDINATOR_KEY);
        token = new PlainToken();
        IDisputes.Terms memory terms;
        terms.coordinateJudge = IJudge(deployer.deployCode("CoordinateJudge.sol:CoordinateJudge", ""));
        terms.contributionJudge = IJudge(deployer.deployCode("ContributionJudge.sol:ContributionJudge", ""));
        terms.shareJudge = IJudge(deployer.deployCode("ShareJudge.sol:ShareJudge", ""));
        terms.gramJudge = IGramJudge(deployer.deployCode("GramJudge.sol:GramJudge", ""));
        uint256 nonce = deployer.getNonce(address(this));

        IRoundAnchor.Job memory job = jobOf(RING, WINDOW);
        job.fixedPlanHash = keccak256(abi.encodePacked(plan_));
        job.tensorTableRoot = courtTensors();
        job.genesisModelRoot = courtGenesis();
        job.coordinator = coordinator;
        job.roster = deployer.computeCreateAddress(address(this), nonce + 1);
        job.arbiter = deployer.computeCreateAddress(address(this), nonce + 2);
        job.attestationQuorum = uint16(quorum);
        job.attestationTicks = 10;
        anchor = IRoundAnchor(deployer.deployCode("RoundAnchor.sol:RoundAnchor", abi.encode(job)));
        stakes = IStakeManager(deployer.deployCode("StakeManager.sol:StakeManager", abi.encode(stakeTerms())));
        (terms.anchor, terms.stakes) = (address(anchor), address(stakes));
        (terms.blocks, terms.answerS) = (uint32(courtBlocks()), ANSWER_S);
        terms.confirmation = confirmation;
        (terms.challengerBond, terms.slashAmount) = (CHALLENGER_BOND, SLASH);
        disputes = IDisputes(deployer.deployCode("Disputes.sol:Disputes", abi.encode(terms)));
        endow(n);
    }

    function stakeTerms() internal view returns (IStakeManager.Terms memory) {
        return IStakeManager.Terms({
            token: address(token),
            anchor: address(anchor),
            minStake: MIN_STAKE,
            longestRoundS: ROUND_S,
            longestDisputeS: 9 * ANSWER_S,
            faultBps: 5000,
            proverBps: 2000,
            compensationBps: 2000
        });
    }

    function endow(uint256 n) internal {
        uint256[] memory all = keysOf(n);
        for (uint256 i = 0; i < n; ++i) {
            give(keys.addr(all[i]), MIN_STAKE);
            vm.prank(keys.addr(all[i]));
            stakes.stake(MIN_STAKE);
        }
        give(coordinator, 100_000);
        vm.prank(coordinator);
        stakes.postBond(3 * SLASH);
        give(challenger, 100_000);
    }

    function give(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.prank(account);
        token.approve(address(stakes), type(uint256).max);
    }

    /// @dev The frame of a round's record: what does not follow from its data.
    function frame(uint64 round, uint32 attempt) internal pure returns (RoundRecord memory record) {
        record.job = keccak256("job");
        record.round = round;
        record.attempt = attempt;
    }

    function anchorIt(World memory world) internal {
        vm.prank(coordinator);
        anchor.anchor(world.record);
    }

    function openingOf(World memory world) internal view returns (IDisputes.Opening memory opening) {
        opening.record = world.record;
        opening.parentHead = anchor.headOf(world.record.round - 1);
        opening.plan = world.plan;
    }

    function factsOf(World memory world) internal pure returns (Facts memory facts) {
        facts.record = world.record;
        facts.parentKnown = world.record.round == 1;
        facts.plan = world.plan;
    }

    function open(World memory world, Kind kind, bytes memory subject) internal returns (uint256) {
        IDisputes.Opening memory opening = openingOf(world);
        vm.prank(challenger);
        return disputes.challenge(kind, opening, subject);
    }

    function convict(uint256 id, World memory world) internal {
        disputes.convict(id, world.record, anchor.headOf(world.record.round - 1), world.record);
    }

    /// @dev That a conviction is refused, and why. (Arguments that take calls are made before the refusal is expected.)
    function refuseConviction(uint256 id, World memory world, bytes4 why) internal {
        bytes26 parentHead = anchor.headOf(world.record.round - 1);
        vm.expectPartialRevert(why);
        disputes.convict(id, world.record, parentHead, world.record);
    }

    function coordinateAnswer(World memory world, uint256 coordinate) internal pure returns (bytes memory) {
        CoordinateJudge.Answer memory shown;
        uint256 block_ = coordinate / 64;
        shown.matrix = matrixOpening(world, block_);
        shown.aggregate = vectorOpening(Trees.AGGREGATE, world.aggregate, block_);
        shown.parentModel = vectorOpening(Trees.MODEL, world.parentModel, block_);
        shown.model = vectorOpening(Trees.MODEL, world.model, block_);
        if (world.plan.length == 9) shown.state = vectorOpening(Trees.SERVER_STATE, world.state, block_);
        shown.tensorIndex = coordinate < 128 ? 0 : 1;
        shown.tensor = tensorAt(shown.tensorIndex);
        shown.tensorProof = new bytes32[](1);
        shown.tensorProof[0] = tensorLeaf(1 - shown.tensorIndex);
        if (world.rule != keccak256("TrMean")) {
            shown.weights = new int256[](world.n);
            for (uint256 i = 0; i < world.n; ++i) {
                shown.weights[i] = int256(world.weights[i]);
            }
        }
        return abi.encode(shown);
    }

    function paddingAnswer(World memory world, uint256 block_) internal pure returns (bytes memory) {
        bytes32[][4] memory proofs;
        proofs[0] = proofOf(Trees.MATRIX, matrixLeaves(world), block_);
        proofs[1] = proofOf(Trees.AGGREGATE, vectorLeaves(Trees.AGGREGATE, world.aggregate), block_);
        proofs[2] = proofOf(Trees.MODEL, vectorLeaves(Trees.MODEL, world.model), block_);
        proofs[3] = proofOf(Trees.SERVER_STATE, vectorLeaves(Trees.SERVER_STATE, world.state), block_);
        return abi.encode(proofs);
    }

    function linkAnswer(World memory world, uint256 row, uint256 block_) internal pure returns (bytes memory) {
        ContributionJudge.LinkAnswer memory shown;
        shown.contribution = world.contributions[row];
        shown.proof = contributionProof(world, row);
        shown.update = Openings.Leaf(world.updates[row], new bytes32[](0));
        shown.matrix = matrixOpening(world, block_);
        return abi.encode(shown);
    }

    function contributionAnswer(World memory world, uint256 row) internal pure returns (bytes memory) {
        ContributionJudge.ContributionAnswer memory shown;
        shown.proof = contributionProof(world, row);
        if (row < world.n) {
            shown.contribution = world.contributions[row];
            shown.signature = world.signatures[row];
        }
        if (row > 0 && row < world.n) {
            shown.previous = world.contributions[row - 1];
            shown.previousProof = contributionProof(world, row - 1);
        }
        return abi.encode(shown);
    }

    function omissionAnswer(World memory world, uint256 row) internal pure returns (bytes memory) {
        ContributionJudge.OmissionAnswer memory shown;
        shown.row = row;
        shown.contribution = world.contributions[row];
        shown.proof = contributionProof(world, row);
        return abi.encode(shown);
    }

    function weightsAnswer(World memory world) internal pure returns (bytes memory) {
        ShareJudge.WeightsAnswer memory shown;
        shown.weights = world.weights;
        if (world.rule == keccak256("Average")) shown.contributions = world.contributions;
        else shown.gram = world.gram;
        return abi.encode(shown);
    }

    function scoresAnswer(World memory world) internal pure returns (bytes memory) {
        ShareJudge.ScoresAnswer memory shown;
        shown.scores = world.scores;
        shown.gram = world.gram;
        if (world.rule != keccak256("TrMean")) shown.weights = world.weights;
        return abi.encode(shown);
    }

    /// @dev For round 1: nobody had anything, so the other side of what is had after it is zero, and the reverse.
    function rewardAnswer(World memory world, bool afterwards, uint256 row) internal pure returns (bytes memory) {
        ShareJudge.RewardAnswer memory shown;
        shown.scores = world.scores;
        shown.contributions = world.contributions;
        if (!afterwards) {
            shown.other = world.rewards[row];
            shown.proof = rewardProof(world, row);
        }
        return abi.encode(shown);
    }
}
