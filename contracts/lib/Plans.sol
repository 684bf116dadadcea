// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/**
 * @title Plans
 * @dev Reads the words behind a record's `fixedPlanHash`, in the order of `shared/round/plan`.
 */
library Plans {
    /// @dev Name of the median.
    bytes32 internal constant MEDIAN = keccak256("Median");
    /// @dev Name of the trimmed mean.
    bytes32 internal constant TRIMMED_MEAN = keccak256("TrMean");
    /// @dev Name of the mean around the median.
    bytes32 internal constant MEAMED = keccak256("Meamed");
    /// @dev Name of the mean around the trimmed mean.
    bytes32 internal constant PHOCAS = keccak256("Phocas");
    /// @dev Name of the majority vote of signs.
    bytes32 internal constant SIGN_MAJORITY = keccak256("SignMajority");
    /// @dev Name of the weighted mean.
    bytes32 internal constant AVERAGE = keccak256("Average");
    /// @dev Name of Krum.
    bytes32 internal constant KRUM = keccak256("Krum");
    /// @dev Name of Multi-Krum.
    bytes32 internal constant MULTI_KRUM = keccak256("MultiKrum");
    /// @dev Name of comparative gradient elimination.
    bytes32 internal constant CGE = keccak256("CGE");
    /// @dev Name of MoNNA.
    bytes32 internal constant MONNA = keccak256("MoNNA");

    uint256 private constant FEWEST_WORDS = 8;

    /// @dev The words are fewer than any plan has.
    error PlansTooShort();

    /// @dev keccak256 of the words.
    function hash(bytes32[] memory plan) internal pure returns (bytes32) {
        if (plan.length < FEWEST_WORDS) revert PlansTooShort();
        return keccak256(abi.encodePacked(plan));
    }

    /// @dev keccak256 of the rule's name.
    function rule(bytes32[] memory plan) internal pure returns (bytes32) {
        return plan[0];
    }

    /// @dev Whether nothing stands in front of the rule.
    function isBare(bytes32[] memory plan) internal pure returns (bool) {
        return plan[1] == keccak256("[]");
    }

    /// @dev keccak256 of the parameters' canonical JSON.
    function parameters(bytes32[] memory plan) internal pure returns (bytes32) {
        return plan[2];
    }

    /// @dev Participants that may be faulty.
    function faulty(bytes32[] memory plan) internal pure returns (uint256) {
        return uint256(plan[3]);
    }

    /// @dev Samples above it count as it.
    function sampleCap(bytes32[] memory plan) internal pure returns (uint256) {
        return uint256(plan[4]);
    }

    /// @dev keccak256 of the server step's name.
    function step(bytes32[] memory plan) internal pure returns (bytes32) {
        return plan[5];
    }

    /// @dev Learning rate of the server's step, in units of 2^-16.
    function learningRate(bytes32[] memory plan) internal pure returns (int256) {
        return int256(uint256(plan[6]));
    }

    /// @dev First further parameter of the step.
    function further(bytes32[] memory plan) internal pure returns (int256) {
        return int256(uint256(plan[7]));
    }

    /// @dev Commitment to the chain of seeds.
    function seedCommitment(bytes32[] memory plan) internal pure returns (bytes32) {
        return plan[plan.length - 1];
    }

    /// @dev Whether the rule works coordinate by coordinate, and the chain knows how.
    function isCoordinateRule(bytes32 name) internal pure returns (bool) {
        return name == MEDIAN || name == TRIMMED_MEAN || name == MEAMED || name == PHOCAS || name == SIGN_MAJORITY;
    }

    /// @dev Whether the aggregate is the sum of the updates by the record's weights, whatever gave the weights.
    function isWeighted(bytes32 name) internal pure returns (bool) {
        return name == AVERAGE || name == KRUM || name == MULTI_KRUM || name == CGE || name == MONNA
            || name == keccak256("GeometricMedian") || name == keccak256("CenteredClipping") || name == keccak256("MDA")
            || name == keccak256("SMEA") || name == keccak256("CAF") || name == keccak256("DnC");
    }
}
