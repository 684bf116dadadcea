// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {RoundRecord} from "./IRoundAnchor.sol";

/// @dev What a dispute is about: the numbers are those of {IJudge-holds}.
enum Kind {
    /// @dev One coordinate of aggregate, model and state; subject: the coordinate, `abi.encode(uint256)`.
    Coordinate,
    /// @dev One block of one participant in matrix and update; subject: `abi.encode(uint256 row, uint256 block)`.
    Link,
    /// @dev One contribution's signature and eligibility; subject: its row, `abi.encode(uint256)`.
    Contribution,
    /// @dev Inclusion of an accepted update; subject: `abi.encode(SignedData.Receipt, bytes signature)`.
    Omission,
    /// @dev Weights; subject: for a selection `abi.encode(uint256 selected, uint256 better)`, else anything.
    Weights,
    /// @dev All scores; subject: empty.
    Scores,
    /// @dev One account's rewards; subject: see {ShareJudge}.
    Reward,
    /// @dev One entry of the Gram matrix; subject: `abi.encode(uint256 row, uint256 column)`.
    Gram
}

/// @dev What is certain about a disputed round: taken from records that the anchor's chain contains.
struct Facts {
    /// @dev The disputed round.
    RoundRecord record;
    /// @dev Whether the next three are known; before round 1 all of them are zero.
    bool parentKnown;
    /// @dev Server state root after the round before.
    bytes32 parentStateRoot;
    /// @dev Rewards root after the round before.
    bytes32 parentRewardsRoot;
    /// @dev Sum of all rewards after the round before.
    uint256 parentRewardsTotal;
    /// @dev The words whose keccak256 is `fixedPlanHash`: rule, pre-aggregators, parameters (hashed each), f, sample cap,
    /// step (hashed), learning rate, further parameters of the step, seed commitment.
    bytes32[] plan;
}

/// @dev What a job adds to the facts.
struct Circumstances {
    /// @dev The job's RoundAnchor.
    address anchor;
    /// @dev The job's StakeManager.
    address stakes;
    /// @dev Who anchored the round.
    address coordinator;
    /// @dev When the round was anchored, in seconds since 1970.
    uint256 anchoredAt;
    /// @dev Blocks of 64 coordinates in a vector.
    uint256 blocks;
    /// @dev What a round pays, in the token's smallest unit.
    uint256 pricePerRound;
    /// @dev Whether the manifest scores by confirmation; by alignment otherwise.
    bool confirmation;
}

/**
 * @title IJudge
 * @dev Decides disputes of some kinds by recomputation. Keeps no state and no money; one instance serves every job.
 */
interface IJudge {
    /// @dev Whether an honest coordinator can answer such a challenge in one transaction.
    function admits(Kind kind, Facts calldata facts, Circumstances calldata circumstances, bytes calldata subject)
        external
        view
        returns (bool);

    /// @dev Whether the answer shows that the round is right in what the subject names.
    function holds(
        Kind kind,
        Facts calldata facts,
        Circumstances calldata circumstances,
        bytes calldata subject,
        bytes calldata answer
    ) external view returns (bool);
}
