// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {RoundRecord} from "./IRoundAnchor.sol";

/**
 * @title IRegistry
 * @dev Where jobs, models and data sets are found. Nothing here can be squatted: a job is known by its anchor's address and
 * registered by the anchor's coordinator or guardian alone, a model by its job and final record, a data set by the account
 * that sealed it first. What a job's contracts say is read from them, not taken from the caller; that their code is the
 * product's is for readers to check, as for every address.
 */
interface IRegistry {
    /// @dev The contracts of a job; the last two are zero where it has no court.
    struct Contracts {
        /// @dev Its RoundAnchor.
        address anchor;
        /// @dev Its RewardVault.
        address vault;
        /// @dev Its StakeManager.
        address stakes;
        /// @dev Its Disputes.
        address disputes;
    }

    /// @dev A registered job, as it was when it was registered.
    struct Job {
        /// @dev Its contracts.
        Contracts contracts;
        /// @dev Where money for its licences goes.
        address till;
        /// @dev Who registered it, or whom that named: publishes and prices its models, gets the bond back.
        address owner;
        /// @dev When it was registered, in seconds since 1970.
        uint40 registeredAt;
        /// @dev Version of the parameters that it is held to.
        uint32 paramsVersion;
        /// @dev Hash of its manifest.
        bytes32 manifestHash;
        /// @dev keccak256 of the name of its rule.
        bytes32 rule;
        /// @dev Upper bound of the rewards of one round, in its token's smallest unit.
        uint96 pricePerRound;
        /// @dev Its challenge window, in seconds.
        uint32 windowS;
        /// @dev What is locked for it, in the voting token's smallest unit; zero once it was returned.
        uint96 bond;
        /// @dev When the bond is free, in seconds since 1970.
        uint40 bondFreeAt;
    }

    /// @dev A published model.
    struct Model {
        /// @dev The job it is from.
        bytes32 id;
        /// @dev Its root, as recorded.
        bytes32 modelRoot;
        /// @dev Hash of the record it is from.
        bytes32 recordHash;
        /// @dev The published model that it continues; zero where there is none.
        bytes32 parent;
        /// @dev The round it is from.
        uint24 round;
        /// @dev When it was published, in seconds since 1970.
        uint40 publishedAt;
        /// @dev What a licence costs, in the job's token; zero where none is sold.
        uint96 price;
    }

    /// @dev A job was registered.
    event JobRegistered(bytes32 indexed id, address indexed anchor, bytes32 indexed manifestHash, address owner);

    /// @dev A job has ended and its bond was returned.
    event BondReleased(bytes32 indexed id, address indexed owner, uint256 amount);

    /// @dev A model was published.
    event ModelPublished(bytes32 indexed model, bytes32 indexed id, uint64 round, bytes32 modelRoot, bytes32 parent);

    /// @dev A licence for the model costs `price` from now on; zero: none is sold.
    event PriceSet(bytes32 indexed model, uint256 price);

    /// @dev `holder` may use the model; of the price, `fee` went to the timelock and the rest towards the job's vault.
    event LicenceSold(bytes32 indexed model, address indexed holder, address buyer, uint256 price, uint256 fee);

    /// @dev A data set was sealed: what it is and whose is known once it is claimed.
    event DatasetSealed(bytes32 indexed sealed_);

    /// @dev `account` is the one who knew this data set first, as far as sealed, at `since` (seconds since 1970).
    event DatasetClaimed(bytes32 indexed dataset, address indexed account, uint256 since);

    /// @dev A constructor parameter, or one of a job's contracts, is not what it should be.
    error RegistryInvalidParameter(string parameter);

    /// @dev `account` may not do this.
    error RegistryUnauthorizedAccount(address account);

    /// @dev The job is registered already.
    error RegistryKnownJob(bytes32 id);

    /// @dev There is no such job.
    error RegistryUnknownJob(bytes32 id);

    /// @dev The plan is not the anchor's.
    error RegistryWrongPlan();

    /// @dev New jobs may not use this rule.
    error RegistryRuleNotAllowed(bytes32 rule);

    /// @dev Something of the job is outside what the parameters allow.
    error RegistryOutOfBounds(string parameter, uint256 value);

    /// @dev The bond is locked until `freeAt` (seconds since 1970), or was returned.
    error RegistryBondNotFree(uint256 freeAt);

    /// @dev The record is not final on the job's anchor.
    error RegistryNotFinal(uint64 round);

    /// @dev The model is published already.
    error RegistryKnownModel(bytes32 model);

    /// @dev The model does not continue the one that it is said to continue.
    error RegistryWrongLineage(bytes32 parent);

    /// @dev No licence is sold for this model.
    error RegistryNotForSale(bytes32 model);

    /// @dev The licence costs more than the buyer would pay.
    error RegistryPriceAbove(uint256 price, uint256 most);

    /// @dev The account has a licence.
    error RegistryAlreadyLicensed(address holder);

    /// @dev The data set was not sealed by this account, or somebody sealed it earlier.
    error RegistryNotFirst(bytes32 dataset);

    /**
     * @dev Registers a job under the parameters in force, and locks the caller's bond. By the anchor's coordinator or
     * guardian, who may name another as the owner.
     *
     * @param contracts the job's contracts
     * @param plan the words behind the anchor's `fixedPlanHash`; the first is keccak256 of the rule's name
     * @param owner who owns the registration
     */
    function register(Contracts calldata contracts, bytes32[] calldata plan, address owner)
        external
        returns (bytes32 id);

    /// @dev Returns a bond to the job's owner once the job has ended. Anyone.
    function releaseBond(bytes32 id) external;

    /**
     * @dev Publishes the model of a final record. The job's owner.
     *
     * @param parent the published model that it continues: an earlier one of the job, or the one that the job began with;
     * zero where there is none
     */
    function publish(bytes32 id, RoundRecord calldata record, bytes32 parent) external returns (bytes32 model);

    /// @dev Says what a licence costs; zero: none is sold. The job's owner.
    function setPrice(bytes32 model, uint96 price) external;

    /// @dev Buys a licence for `holder`, paid by the caller, for `most` at most.
    function buyLicence(bytes32 model, address holder, uint256 most) external;

    /// @dev Dates a data set without telling what it is: `keccak256(abi.encode(account, dataset, salt))`. Anyone.
    function sealDataset(bytes32 sealed_) external;

    /// @dev Tells what was sealed. Whoever sealed a data set earliest owns it, in whatever order it is told.
    function claimDataset(bytes32 dataset, bytes32 salt) external;

    /// @dev A job's identifier, `keccak256(abi.encode(chainid, registry, anchor))`.
    function idOf(address anchor) external view returns (bytes32);

    /// @dev A registered job; the owner is zero where there is none.
    function jobOf(bytes32 id) external view returns (Job memory);

    /// @dev A published model; `publishedAt` is zero where there is none.
    function modelOf(bytes32 model) external view returns (Model memory);

    /// @dev Whether an account has a licence.
    function isLicensed(bytes32 model, address account) external view returns (bool);

    /// @dev Who owns a data set, and since when (seconds since 1970); zero if nobody claimed it.
    function datasetOf(bytes32 dataset) external view returns (address account, uint256 since);

    /// @dev The parameters that new jobs are held to, and the token that bonds are in.
    function terms() external view returns (address params, address token);
}
