// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Registry} from "../Registry.sol";
import {RewardVault} from "../RewardVault.sol";
import {RoundAnchor} from "../RoundAnchor.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRoundAnchor, RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {Court} from "./Court.sol";
import {Parliament} from "./Parliament.sol";

/// @dev A job with a court, one without, and a registry that the token's holders govern.
abstract contract RegistryLab is Court, Parliament {
    uint64 internal constant LIFE_S = 30 days;
    address internal constant SPONSOR = address(0x5905);
    address internal constant BUYER = address(0xB4);

    IRegistry internal registry;
    bytes32[] internal thePlan;

    function open() internal {
        found();
        thePlan = plan("TrMean", "{}", 1, "FedAvg", 0);
        build(thePlan, 0);
        registry = new Registry(params, fed);
        endowWithVotes(coordinator);
        endowWithVotes(COORDINATOR);
    }

    function endowWithVotes(address account) internal {
        require(fed.transfer(account, 1000 ether), "transfer");
        vm.prank(account);
        fed.approve(address(registry), type(uint256).max);
    }

    function vaultOf(address anchor_) internal returns (address) {
        return address(new RewardVault(token, IRoundAnchor(anchor_), uint64(time()) + LIFE_S, 1000));
    }

    /// @dev The job that {Court} has built.
    function judged() internal returns (IRegistry.Contracts memory) {
        return IRegistry.Contracts(address(anchor), vaultOf(address(anchor)), address(stakes), address(disputes));
    }

    function bareJob() internal view returns (IRoundAnchor.Job memory job) {
        job = jobOf(RING, WINDOW);
        job.fixedPlanHash = keccak256(abi.encodePacked(thePlan));
        job.arbiter = address(0);
    }

    /// @dev Another job, without a court.
    function bare(IRoundAnchor.Job memory job) internal returns (IRegistry.Contracts memory contracts) {
        contracts.anchor = address(new RoundAnchor(job));
        contracts.vault = vaultOf(contracts.anchor);
    }

    function registerBare() internal returns (bytes32 id, IRegistry.Contracts memory contracts) {
        contracts = bare(bareJob());
        vm.prank(COORDINATOR);
        id = registry.register(contracts, thePlan, SPONSOR);
    }

    function bareRecord(uint64 round) internal view returns (RoundRecord memory record) {
        record = recordOf(round);
        record.fixedPlanHash = keccak256(abi.encodePacked(thePlan));
    }

    function anchorBare(address anchor_, uint64 round) internal returns (RoundRecord memory record) {
        record = bareRecord(round);
        vm.prank(COORDINATOR);
        IRoundAnchor(anchor_).anchor(record);
    }

    function finalBare(address anchor_, uint64 round) internal returns (RoundRecord memory record) {
        record = anchorBare(anchor_, round);
        skip((WINDOW + 1) * TICK);
    }

    function enrich(address buyer, uint256 amount) internal {
        token.mint(buyer, amount);
        vm.prank(buyer);
        token.approve(address(registry), type(uint256).max);
    }
}
