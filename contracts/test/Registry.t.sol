// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Registry} from "../Registry.sol";
import {ILicenceTill} from "../interfaces/ILicenceTill.sol";
import {IParams} from "../interfaces/IParams.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRewardVault} from "../interfaces/IRewardVault.sol";
import {IRoundAnchor, RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {RegistryLab} from "./RegistryLab.sol";

contract RegistryTest is RegistryLab {
    function setUp() public {
        open();
    }

    function refuse(IRegistry.Contracts memory contracts, bytes4 why) private {
        vm.expectPartialRevert(why);
        vm.prank(COORDINATOR);
        registry.register(contracts, thePlan, SPONSOR);
    }

    function refuseParameter(IRegistry.Contracts memory contracts, address by, string memory parameter) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.RegistryInvalidParameter.selector, parameter));
        vm.prank(by);
        registry.register(contracts, thePlan, SPONSOR);
    }

    function setParameters(IParams.Values memory values) private {
        vm.prank(address(timelock));
        params.set(values);
    }

    function test_AJobIsRegisteredAsItsContractsAre() public {
        IRegistry.Contracts memory contracts = judged();
        vm.prank(coordinator);
        bytes32 id = registry.register(contracts, thePlan, SPONSOR);
        IRegistry.Job memory job = registry.jobOf(id);
        check(id == registry.idOf(address(anchor)) && job.owner == SPONSOR, "id and owner");
        check(job.manifestHash == keccak256("manifest") && job.rule == keccak256("TrMean"), "manifest and rule");
        check(job.pricePerRound == PRICE && job.windowS == WINDOW * TICK, "price and window");
        check(job.bond == 100 ether && fed.balanceOf(address(registry)) == 100 ether, "the bond is locked");
        check(job.paramsVersion == 1 && job.registeredAt == time(), "under the parameters in force");
        check(keccak256(abi.encode(job.contracts)) == keccak256(abi.encode(contracts)), "its contracts");
        (address params_, address bondToken) = registry.terms();
        check(params_ == address(params) && bondToken == address(fed), "terms");
    }

    function test_TheGuardianMayRegisterToo() public {
        endowWithVotes(GUARDIAN);
        IRegistry.Contracts memory contracts = bare(bareJob());
        vm.prank(GUARDIAN);
        bytes32 id = registry.register(contracts, thePlan, GUARDIAN);
        check(registry.jobOf(id).owner == GUARDIAN, "registered");
    }

    /// @dev Pitfall: squatting. Nobody takes a place that another's job could want.
    function test_Pitfall_SquattingIsImpossible() public {
        IRegistry.Contracts memory contracts = bare(bareJob());
        endowWithVotes(address(0xBAD));
        vm.expectRevert(abi.encodeWithSelector(IRegistry.RegistryUnauthorizedAccount.selector, address(0xBAD)));
        vm.prank(address(0xBAD));
        registry.register(contracts, thePlan, address(0xBAD));

        // A copy of everything, manifest included, under an anchor of its own: another entry, and the true one's is free.
        IRoundAnchor.Job memory job = bareJob();
        (job.coordinator, job.guardian) = (address(0xBAD), address(0xBAD));
        IRegistry.Contracts memory copy = bare(job);
        vm.prank(address(0xBAD));
        bytes32 copied = registry.register(copy, thePlan, address(0xBAD));
        vm.prank(COORDINATOR);
        bytes32 id = registry.register(contracts, thePlan, SPONSOR);
        check(id != copied && registry.jobOf(id).owner == SPONSOR, "the job has its own place");
        check(registry.jobOf(id).manifestHash == registry.jobOf(copied).manifestHash, "of the same manifest");
    }

    /// @dev Pitfall: first-writer front-running, of a registration: who copies it from the pool is not the coordinator.
    function test_Pitfall_FirstWriterFrontRunningOfARegistration() public {
        (bytes32 id, IRegistry.Contracts memory contracts) = registerBare();
        refuse(contracts, IRegistry.RegistryKnownJob.selector);
        check(registry.jobOf(id).owner == SPONSOR, "the first stays");
    }

    /// @dev Pitfall: first-writer front-running, of a data set: who copies a claim from the pool has sealed it too late.
    function test_Pitfall_FirstWriterFrontRunningOfADataset() public {
        bytes32 dataset = keccak256("rows");
        bytes32 salt = keccak256("salt");
        vm.prank(ALICE);
        registry.sealDataset(keccak256(abi.encode(ALICE, dataset, salt)));
        uint256 since = time();
        skip(100);
        // Bob sees Alice's claim before it is in a block, seals the same for himself and claims first.
        registry.sealDataset(keccak256(abi.encode(BOB, dataset, salt)));
        vm.prank(BOB);
        registry.claimDataset(dataset, salt);
        vm.prank(ALICE);
        registry.claimDataset(dataset, salt);
        (address account, uint256 since_) = registry.datasetOf(dataset);
        check(account == ALICE && since_ == since, "the earliest seal owns");
        vm.expectPartialRevert(IRegistry.RegistryNotFirst.selector);
        vm.prank(BOB);
        registry.claimDataset(dataset, salt);
    }

    /// @dev Sealing in another's name dates it no later, and nobody can tell what he has not sealed.
    function test_ASealIsItsAccountsOwn() public {
        bytes32 sealed_ = keccak256(abi.encode(ALICE, keccak256("rows"), bytes32(0)));
        vm.prank(BOB);
        registry.sealDataset(sealed_);
        uint256 since = time();
        skip(10);
        vm.prank(ALICE);
        registry.sealDataset(sealed_);
        vm.expectPartialRevert(IRegistry.RegistryNotFirst.selector);
        vm.prank(BOB);
        registry.claimDataset(keccak256("rows"), 0);
        vm.prank(ALICE);
        registry.claimDataset(keccak256("rows"), 0);
        (address account, uint256 since_) = registry.datasetOf(keccak256("rows"));
        check(account == ALICE && since_ == since, "since the first seal");
    }

    function testFuzz_TheEarliestSealOwnsInWhateverOrderItIsTold(uint8 gapA, uint8 gapB, bool bobFirst) public {
        bytes32 dataset = keccak256("rows");
        uint256 aliceAt = time() + gapA;
        uint256 bobAt = time() + gapB;
        vm.assume(aliceAt != bobAt);
        bool aliceIsEarlier = aliceAt < bobAt;
        vm.warp(aliceIsEarlier ? aliceAt : bobAt);
        registry.sealDataset(keccak256(abi.encode(aliceIsEarlier ? ALICE : BOB, dataset, bytes32(0))));
        vm.warp(aliceIsEarlier ? bobAt : aliceAt);
        registry.sealDataset(keccak256(abi.encode(aliceIsEarlier ? BOB : ALICE, dataset, bytes32(0))));
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank((i == 0) == bobFirst ? BOB : ALICE);
            try registry.claimDataset(dataset, 0) {} catch {}
        }
        (address account,) = registry.datasetOf(dataset);
        check(account == (aliceIsEarlier ? ALICE : BOB), "the earliest seal owns");
    }

    function test_ContractsMustBelongTogether() public {
        IRegistry.Contracts memory contracts = bare(bareJob());
        IRegistry.Contracts memory other = bare(bareJob());
        contracts.vault = other.vault;
        refuseParameter(contracts, COORDINATOR, "vault");
        contracts = judged();
        contracts.stakes = address(0);
        contracts.disputes = address(0);
        refuseParameter(contracts, coordinator, "disputes");
        contracts = bare(bareJob());
        contracts.disputes = address(disputes);
        refuseParameter(contracts, COORDINATOR, "disputes");
        contracts = bare(bareJob());
        contracts.stakes = address(stakes);
        refuseParameter(contracts, COORDINATOR, "disputes");
        contracts = judged();
        contracts.stakes = other.anchor;
        refuseParameter(contracts, coordinator, "stakes");
        vm.expectRevert(abi.encodeWithSelector(IRegistry.RegistryInvalidParameter.selector, "owner"));
        vm.prank(coordinator);
        registry.register(contracts, thePlan, address(0));
    }

    function test_TheRuleMustBeAllowed() public {
        bytes32[] memory krum = plan("Krum", "{}", 1, "FedAvg", 0);
        IRegistry.Contracts memory contracts = bare(bareJob());
        vm.expectPartialRevert(IRegistry.RegistryWrongPlan.selector);
        vm.prank(COORDINATOR);
        registry.register(contracts, krum, SPONSOR);
        IRoundAnchor.Job memory job = bareJob();
        job.fixedPlanHash = keccak256(abi.encodePacked(krum));
        contracts = bare(job);
        vm.expectRevert(abi.encodeWithSelector(IRegistry.RegistryRuleNotAllowed.selector, keccak256("Krum")));
        vm.prank(COORDINATOR);
        registry.register(contracts, krum, SPONSOR);
        vm.prank(address(timelock));
        params.setRule(keccak256("Krum"), true);
        vm.prank(COORDINATOR);
        registry.register(contracts, krum, SPONSOR);
    }

    function test_NewJobsAreHeldToTheParameters() public {
        IParams.Values memory values = valuesOf(500);
        values.minWindowS = uint32(WINDOW * TICK + 1);
        setParameters(values);
        refuse(bare(bareJob()), IRegistry.RegistryOutOfBounds.selector);
        (values.minWindowS, values.maxWindowS) = (32, uint32(WINDOW * TICK - 1));
        setParameters(values);
        refuse(bare(bareJob()), IRegistry.RegistryOutOfBounds.selector);
        values = valuesOf(500);
        values.courtRequired = true;
        setParameters(values);
        refuseParameter(bare(bareJob()), COORDINATOR, "disputes");

        values.minAnswerS = ANSWER_S + 1;
        refuseCourt(values, "answerS", ANSWER_S);
        (values.minAnswerS, values.maxAnswerS) = (60, ANSWER_S - 1);
        refuseCourt(values, "answerS", ANSWER_S);
        // 100 a round, four rounds in the ring: a slash of 10,000 covers 25 times what a rewind erases.
        values = valuesOf(500);
        values.slashCoverBps = 250_001;
        refuseCourt(values, "slashAmount", SLASH);
        values.slashCoverBps = 250_000;
        values.challengerBondBps = 499;
        refuseCourt(values, "challengerBond", CHALLENGER_BOND);
        values.challengerBondBps = 500;
        setParameters(values);
        IRegistry.Contracts memory contracts = judged();
        vm.prank(coordinator);
        registry.register(contracts, thePlan, SPONSOR);
    }

    function refuseCourt(IParams.Values memory values, string memory parameter, uint256 value) private {
        setParameters(values);
        IRegistry.Contracts memory contracts = judged();
        vm.expectRevert(abi.encodeWithSelector(IRegistry.RegistryOutOfBounds.selector, parameter, value));
        vm.prank(coordinator);
        registry.register(contracts, thePlan, SPONSOR);
    }

    function test_TheBondReturnsAfterTheJobsEnd() public {
        (bytes32 id,) = registerBare();
        uint256 freeAt = registry.jobOf(id).bondFreeAt;
        check(freeAt == time() + LIFE_S + 1000, "with the vault's end");
        vm.warp(freeAt - 1);
        vm.expectPartialRevert(IRegistry.RegistryBondNotFree.selector);
        registry.releaseBond(id);
        vm.warp(freeAt);
        registry.releaseBond(id);
        check(fed.balanceOf(SPONSOR) == 100 ether && fed.balanceOf(address(registry)) == 0, "returned");
        vm.expectPartialRevert(IRegistry.RegistryBondNotFree.selector);
        registry.releaseBond(id);
        vm.expectPartialRevert(IRegistry.RegistryUnknownJob.selector);
        registry.releaseBond(keccak256("nothing"));
    }

    /// @dev A vault of one's own making that names an end long past frees no bond at once.
    function test_ABondStaysForAWindowAtLeast() public {
        IRegistry.Contracts memory contracts = bare(bareJob());
        contracts.vault = address(new EndedVault(address(token), contracts.anchor));
        vm.prank(COORDINATOR);
        bytes32 id = registry.register(contracts, thePlan, SPONSOR);
        check(registry.jobOf(id).bondFreeAt == time() + WINDOW * TICK, "a window");
    }

    function test_WithoutABondNothingIsTaken() public {
        IParams.Values memory values = valuesOf(500);
        values.registrationBond = 0;
        setParameters(values);
        (bytes32 id,) = registerBare();
        check(fed.balanceOf(address(registry)) == 0 && registry.jobOf(id).bond == 0, "no bond");
    }

    function test_ModelsAreOfFinalRecordsOnly() public {
        (bytes32 id, IRegistry.Contracts memory contracts) = registerBare();
        RoundRecord memory record = anchorBare(contracts.anchor, 1);
        vm.expectPartialRevert(IRegistry.RegistryNotFinal.selector);
        vm.prank(SPONSOR);
        registry.publish(id, record, 0);
        skip((WINDOW + 1) * TICK);
        vm.expectPartialRevert(IRegistry.RegistryUnauthorizedAccount.selector);
        registry.publish(id, record, 0);
        RoundRecord memory forged = bareRecord(1);
        forged.modelRoot = keccak256("another");
        vm.expectPartialRevert(IRegistry.RegistryNotFinal.selector);
        vm.prank(SPONSOR);
        registry.publish(id, forged, 0);
        vm.prank(SPONSOR);
        bytes32 model = registry.publish(id, record, 0);
        IRegistry.Model memory published = registry.modelOf(model);
        check(published.id == id && published.modelRoot == record.modelRoot && published.round == 1, "lineage");
        check(published.recordHash == keccak256(abi.encode(record)) && published.publishedAt == time(), "record");
        vm.expectPartialRevert(IRegistry.RegistryKnownModel.selector);
        vm.prank(SPONSOR);
        registry.publish(id, record, 0);
    }

    function test_ARewoundRecordIsNeverPublished() public {
        IRoundAnchor.Job memory job = bareJob();
        job.coordinator = coordinator;
        IRegistry.Contracts memory contracts = judged();
        vm.prank(coordinator);
        bytes32 id = registry.register(contracts, thePlan, SPONSOR);
        RoundRecord memory record = bareRecord(1);
        (record.tensorTableRoot, record.parentModelRoot) = (courtTensors(), courtGenesis());
        vm.prank(coordinator);
        anchor.anchor(record);
        bytes26 parentHead = anchor.headOf(0);
        vm.prank(address(disputes));
        anchor.rewind(record, parentHead, record);
        skip((WINDOW + 1) * TICK);
        vm.expectPartialRevert(IRegistry.RegistryNotFinal.selector);
        vm.prank(SPONSOR);
        registry.publish(id, record, 0);
    }

    function test_LineageIsShownNotClaimed() public {
        (bytes32 id, IRegistry.Contracts memory contracts) = registerBare();
        RoundRecord memory one = finalBare(contracts.anchor, 1);
        RoundRecord memory two = finalBare(contracts.anchor, 2);
        vm.prank(SPONSOR);
        bytes32 second = registry.publish(id, two, 0);
        vm.expectPartialRevert(IRegistry.RegistryWrongLineage.selector);
        vm.prank(SPONSOR);
        registry.publish(id, one, second);
        vm.prank(SPONSOR);
        bytes32 first = registry.publish(id, one, 0);
        RoundRecord memory three = finalBare(contracts.anchor, 3);
        vm.expectPartialRevert(IRegistry.RegistryWrongLineage.selector);
        vm.prank(SPONSOR);
        registry.publish(id, three, keccak256("nothing"));
        vm.prank(SPONSOR);
        check(registry.modelOf(registry.publish(id, three, first)).parent == first, "continues the first");

        // A job that begins with the model of another one's second round.
        IRoundAnchor.Job memory job = bareJob();
        job.genesisModelRoot = two.modelRoot;
        IRegistry.Contracts memory tuned = bare(job);
        vm.prank(COORDINATOR);
        bytes32 tunedId = registry.register(tuned, thePlan, BOB);
        RoundRecord memory record = bareRecord(1);
        record.parentModelRoot = two.modelRoot;
        vm.prank(COORDINATOR);
        IRoundAnchor(tuned.anchor).anchor(record);
        skip((WINDOW + 1) * TICK);
        vm.expectPartialRevert(IRegistry.RegistryWrongLineage.selector);
        vm.prank(BOB);
        registry.publish(tunedId, record, first);
        vm.prank(BOB);
        check(registry.modelOf(registry.publish(tunedId, record, second)).parent == second, "across jobs");
    }

    function sell(uint96 price) private returns (bytes32 model, IRegistry.Contracts memory contracts) {
        bytes32 id;
        (id, contracts) = registerBare();
        RoundRecord memory record = finalBare(contracts.anchor, 1);
        vm.prank(SPONSOR);
        model = registry.publish(id, record, 0);
        vm.prank(SPONSOR);
        registry.setPrice(model, price);
        enrich(BUYER, 10 * uint256(price));
    }

    function test_ProceedsReachTheVault() public {
        (bytes32 model, IRegistry.Contracts memory contracts) = sell(1000);
        vm.prank(BUYER);
        registry.buyLicence(model, BOB, 1000);
        check(registry.isLicensed(model, BOB) && !registry.isLicensed(model, BUYER), "for whom it was bought");
        (uint256 funded,,,) = IRewardVault(contracts.vault).totals();
        check(funded == 950 && token.balanceOf(contracts.vault) == 950, "95 % reach the vault");
        check(token.balanceOf(address(timelock)) == 50, "5 % the timelock");
        vm.expectPartialRevert(IRegistry.RegistryAlreadyLicensed.selector);
        vm.prank(BUYER);
        registry.buyLicence(model, BOB, 1000);
    }

    function test_TheFeeIsThatOfTheJobsRegistration() public {
        (bytes32 model, IRegistry.Contracts memory contracts) = sell(1000);
        setParameters(valuesOf(1000));
        vm.prank(BUYER);
        registry.buyLicence(model, BUYER, 1000);
        (uint256 funded,,,) = IRewardVault(contracts.vault).totals();
        check(funded == 950, "no vote changes what an open job pays");
    }

    /// @dev A price raised just before a purchase costs the buyer nothing.
    function test_NobodyPaysMoreThanHeSaid() public {
        (bytes32 model,) = sell(1000);
        vm.prank(SPONSOR);
        registry.setPrice(model, 1001);
        vm.expectPartialRevert(IRegistry.RegistryPriceAbove.selector);
        vm.prank(BUYER);
        registry.buyLicence(model, BUYER, 1000);
        vm.prank(SPONSOR);
        registry.setPrice(model, 0);
        vm.expectPartialRevert(IRegistry.RegistryNotForSale.selector);
        vm.prank(BUYER);
        registry.buyLicence(model, BUYER, 1000);
        vm.expectPartialRevert(IRegistry.RegistryUnauthorizedAccount.selector);
        vm.prank(BUYER);
        registry.setPrice(model, 1);
    }

    function test_AfterTheEndTheOwnerIsPaid() public {
        (bytes32 model, IRegistry.Contracts memory contracts) = sell(1000);
        vm.prank(BUYER);
        registry.buyLicence(model, BOB, 1000);
        IRewardVault vault = IRewardVault(contracts.vault);
        token.mint(address(this), 50);
        token.approve(address(vault), 50);
        vault.fund(50);
        (,, uint256 endsAt) = vault.terms();
        vm.warp(endsAt);
        ILicenceTill till = ILicenceTill(registry.jobOf(registry.idOf(contracts.anchor)).till);
        // Whoever returns the till's share first: it is the owner's all the same.
        vault.refund(address(till));
        till.pass();
        check(token.balanceOf(SPONSOR) == 950, "what was never activated is the owner's");
        till.pass();
        vm.prank(BUYER);
        registry.buyLicence(model, BUYER, 1000);
        check(token.balanceOf(SPONSOR) == 1900, "and what is sold afterwards");
        (, address vaultOfTill, address owner) = till.terms();
        check(vaultOfTill == contracts.vault && owner == SPONSOR, "terms");
        check(token.balanceOf(address(till)) == 0, "nothing stays");
    }

    function test_TheTillPassesOnWhateverItGets() public {
        (, IRegistry.Contracts memory contracts) = sell(1000);
        ILicenceTill till = ILicenceTill(registry.jobOf(registry.idOf(contracts.anchor)).till);
        till.pass();
        token.mint(address(till), 7);
        till.pass();
        (uint256 funded,,,) = IRewardVault(contracts.vault).totals();
        check(funded == 7, "gifts too");
        (,, uint256 endsAt) = IRewardVault(contracts.vault).terms();
        vm.warp(endsAt);
        till.pass();
        check(token.balanceOf(SPONSOR) == 7, "returned, and the owner's");
    }

    function test_ConstructorBounds() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.RegistryInvalidParameter.selector, "params"));
        new Registry(IParams(address(1)), fed);
        vm.expectRevert(abi.encodeWithSelector(IRegistry.RegistryInvalidParameter.selector, "token"));
        new Registry(params, IERC20(address(1)));
    }
}

/// @dev Says of itself that it is a vault, and ended.
contract EndedVault {
    address private immutable _token;
    address private immutable _anchor;

    constructor(address token, address anchor) {
        (_token, _anchor) = (token, anchor);
    }

    function terms() external view returns (address, address, uint256) {
        return (_token, _anchor, 1);
    }
}
