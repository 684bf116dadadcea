// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {LicenceTill} from "./LicenceTill.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {ILicenceTill} from "./interfaces/ILicenceTill.sol";
import {IParams} from "./interfaces/IParams.sol";
import {IRegistry} from "./interfaces/IRegistry.sol";
import {IRewardVault} from "./interfaces/IRewardVault.sol";
import {IRoundAnchor, RoundRecord} from "./interfaces/IRoundAnchor.sol";
import {IStakeManager} from "./interfaces/IStakeManager.sol";
import {Plans} from "./lib/Plans.sol";

/**
 * @title Registry
 * @dev See {IRegistry}. Holds bonds in the voting token and nothing else: licences are paid into a till for each job.
 */
contract Registry is IRegistry, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    struct Dataset {
        address account;
        uint40 since;
    }

    uint256 private constant WHOLE = 10_000;
    uint256 private constant TICK_SECONDS = 16;

    IParams private immutable _params;
    IERC20 private immutable _token;

    mapping(bytes32 id => Job) private _jobs;
    mapping(bytes32 model => Model) private _models;
    mapping(bytes32 licence => bool) private _licences;
    mapping(bytes32 sealed_ => uint256) private _sealedAt;
    mapping(bytes32 dataset => Dataset) private _datasets;

    /**
     * @param params what new jobs are held to
     * @param token what bonds are in: the token that votes
     */
    constructor(IParams params, IERC20 token) {
        if (address(params).code.length == 0) revert RegistryInvalidParameter("params");
        if (address(token).code.length == 0) revert RegistryInvalidParameter("token");
        _params = params;
        _token = token;
    }

    /// @inheritdoc IRegistry
    function register(Contracts calldata contracts, bytes32[] calldata plan, address owner)
        external
        nonReentrant
        returns (bytes32 id)
    {
        id = idOf(contracts.anchor);
        if (_jobs[id].owner != address(0)) revert RegistryKnownJob(id);
        if (owner == address(0)) revert RegistryInvalidParameter("owner");
        IRoundAnchor.Job memory terms_ = IRoundAnchor(contracts.anchor).jobParameters();
        if (msg.sender != terms_.coordinator && msg.sender != terms_.guardian) {
            revert RegistryUnauthorizedAccount(msg.sender);
        }
        if (Plans.hash(plan) != terms_.fixedPlanHash) revert RegistryWrongPlan();
        if (!_params.isAllowed(plan[0])) revert RegistryRuleNotAllowed(plan[0]);
        (uint256 version, IParams.Values memory values) = _params.current();
        _requireInBounds(contracts, terms_, values);

        (, address anchor, uint256 endsAt) = IRewardVault(contracts.vault).terms();
        if (anchor != contracts.anchor) revert RegistryInvalidParameter("vault");
        uint256 windowS = uint256(terms_.windowTicks) * TICK_SECONDS;
        // A vault that is not the product's may name any end: the bond stays for a window at least.
        uint256 freeAt = endsAt > block.timestamp + windowS ? endsAt : block.timestamp + windowS;
        _jobs[id] = Job({
            contracts: contracts,
            till: address(new LicenceTill(IRewardVault(contracts.vault), owner)),
            owner: owner,
            registeredAt: uint40(block.timestamp),
            paramsVersion: version.toUint32(),
            manifestHash: terms_.manifestHash,
            rule: plan[0],
            pricePerRound: terms_.pricePerRound,
            windowS: windowS.toUint32(),
            bond: values.registrationBond,
            bondFreeAt: freeAt.toUint40()
        });
        emit JobRegistered(id, contracts.anchor, terms_.manifestHash, owner);
        if (values.registrationBond != 0) {
            _token.safeTransferFrom(msg.sender, address(this), values.registrationBond);
        }
    }

    /// @inheritdoc IRegistry
    function releaseBond(bytes32 id) external nonReentrant {
        Job storage job = _known(id);
        uint256 amount = job.bond;
        if (amount == 0 || block.timestamp < job.bondFreeAt) revert RegistryBondNotFree(job.bondFreeAt);
        job.bond = 0;
        emit BondReleased(id, job.owner, amount);
        _token.safeTransfer(job.owner, amount);
    }

    /// @inheritdoc IRegistry
    function publish(bytes32 id, RoundRecord calldata record, bytes32 parent)
        external
        nonReentrant
        returns (bytes32 model)
    {
        Job storage job = _owned(id);
        IRoundAnchor anchor = IRoundAnchor(job.contracts.anchor);
        if (!anchor.isFinal(record)) revert RegistryNotFinal(record.round);
        model = keccak256(abi.encode(id, record.round));
        if (_models[model].publishedAt != 0) revert RegistryKnownModel(model);
        if (parent != 0) {
            Model memory before = _models[parent];
            bool continues = before.id == id
                ? before.round < record.round
                : before.publishedAt != 0 && before.modelRoot == anchor.jobParameters().genesisModelRoot;
            if (!continues) revert RegistryWrongLineage(parent);
        }
        _models[model] = Model({
            id: id,
            modelRoot: record.modelRoot,
            recordHash: keccak256(abi.encode(record)),
            parent: parent,
            round: uint256(record.round).toUint24(),
            publishedAt: uint40(block.timestamp),
            price: 0
        });
        emit ModelPublished(model, id, record.round, record.modelRoot, parent);
    }

    /// @inheritdoc IRegistry
    function setPrice(bytes32 model, uint96 price) external {
        _owned(_models[model].id);
        _models[model].price = price;
        emit PriceSet(model, price);
    }

    /// @inheritdoc IRegistry
    function buyLicence(bytes32 model, address holder, uint256 most) external nonReentrant {
        uint256 price = _models[model].price;
        if (price == 0) revert RegistryNotForSale(model);
        if (price > most) revert RegistryPriceAbove(price, most);
        bytes32 licence = _licence(model, holder);
        if (_licences[licence]) revert RegistryAlreadyLicensed(holder);
        _licences[licence] = true;

        Job storage job = _jobs[_models[model].id];
        // The part that was in force when the job was registered.
        uint256 fee = price * _params.valuesAt(job.paramsVersion).feeBps / WHOLE;
        emit LicenceSold(model, holder, msg.sender, price, fee);
        ILicenceTill till = ILicenceTill(job.till);
        (address token,,) = till.terms();
        if (fee != 0) IERC20(token).safeTransferFrom(msg.sender, _params.timelock(), fee);
        IERC20(token).safeTransferFrom(msg.sender, address(till), price - fee);
        till.pass();
    }

    /// @inheritdoc IRegistry
    function sealDataset(bytes32 sealed_) external {
        // Sealing again, by whomever, changes nothing: the account is inside.
        if (_sealedAt[sealed_] != 0) return;
        _sealedAt[sealed_] = block.timestamp;
        emit DatasetSealed(sealed_);
    }

    /// @inheritdoc IRegistry
    function claimDataset(bytes32 dataset, bytes32 salt) external {
        uint256 since = _sealedAt[keccak256(abi.encode(msg.sender, dataset, salt))];
        Dataset memory known = _datasets[dataset];
        if (since == 0 || (known.account != address(0) && known.since <= since)) revert RegistryNotFirst(dataset);
        _datasets[dataset] = Dataset(msg.sender, uint40(since));
        emit DatasetClaimed(dataset, msg.sender, since);
    }

    /// @inheritdoc IRegistry
    function jobOf(bytes32 id) external view returns (Job memory) {
        return _jobs[id];
    }

    /// @inheritdoc IRegistry
    function modelOf(bytes32 model) external view returns (Model memory) {
        return _models[model];
    }

    /// @inheritdoc IRegistry
    function isLicensed(bytes32 model, address account) external view returns (bool) {
        return _licences[_licence(model, account)];
    }

    /// @inheritdoc IRegistry
    function datasetOf(bytes32 dataset) external view returns (address account, uint256 since) {
        return (_datasets[dataset].account, _datasets[dataset].since);
    }

    /// @inheritdoc IRegistry
    function terms() external view returns (address params, address token) {
        return (address(_params), address(_token));
    }

    /// @inheritdoc IRegistry
    function idOf(address anchor) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), anchor));
    }

    function _known(bytes32 id) private view returns (Job storage job) {
        job = _jobs[id];
        if (job.owner == address(0)) revert RegistryUnknownJob(id);
    }

    function _owned(bytes32 id) private view returns (Job storage job) {
        job = _known(id);
        if (msg.sender != job.owner) revert RegistryUnauthorizedAccount(msg.sender);
    }

    /// @dev Holds a new job to the parameters in force. What a job does not have cannot be out of bounds.
    function _requireInBounds(
        Contracts calldata contracts,
        IRoundAnchor.Job memory anchor,
        IParams.Values memory values
    ) private view {
        _requireBetween("windowS", uint256(anchor.windowTicks) * TICK_SECONDS, values.minWindowS, values.maxWindowS);
        if (contracts.disputes == address(0)) {
            if (values.courtRequired || contracts.stakes != address(0) || anchor.arbiter != address(0)) {
                revert RegistryInvalidParameter("disputes");
            }
            return;
        }
        IDisputes.Terms memory court = IDisputes(contracts.disputes).terms();
        if (anchor.arbiter != contracts.disputes || court.anchor != contracts.anchor) {
            revert RegistryInvalidParameter("disputes");
        }
        if (
            anchor.roster != contracts.stakes || court.stakes != contracts.stakes
                || IStakeManager(contracts.stakes).terms().anchor != contracts.anchor
        ) revert RegistryInvalidParameter("stakes");
        _requireBetween("answerS", court.answerS, values.minAnswerS, values.maxAnswerS);
        uint256 erasable = uint256(anchor.pricePerRound) * anchor.ringSize;
        _requireBetween(
            "slashAmount", court.slashAmount, Math.ceilDiv(erasable * values.slashCoverBps, WHOLE), type(uint96).max
        );
        uint256 mostBond = uint256(court.slashAmount) * values.challengerBondBps / WHOLE;
        _requireBetween("challengerBond", court.challengerBond, 0, mostBond);
    }

    function _requireBetween(string memory parameter, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert RegistryOutOfBounds(parameter, value);
    }

    function _licence(bytes32 model, address holder) private pure returns (bytes32) {
        return keccak256(abi.encode(model, holder));
    }
}
