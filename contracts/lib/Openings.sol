// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Trees} from "./Trees.sol";

/**
 * @title Openings
 * @dev Leaves as answers to challenges bring them, and their checks against a root.
 */
library Openings {
    /// @dev A leaf's bytes and its siblings, lowest first.
    struct Leaf {
        /// @dev Bytes that are hashed.
        bytes data;
        /// @dev Siblings on the way to the root.
        bytes32[] proof;
    }

    /// @dev A contribution as its leaf holds it.
    struct Contribution {
        /// @dev Who contributed.
        address participant;
        /// @dev Root of the update's tree.
        bytes32 updateRoot;
        /// @dev Samples stated.
        uint256 samples;
        /// @dev Largest magnitude stated.
        uint256 largestMagnitude;
        /// @dev Data set committed to.
        bytes32 datasetCommitment;
        /// @dev keccak256 of the participant's signature.
        bytes32 signatureHash;
        /// @dev 1: admitted.
        uint256 verdict;
    }

    /// @dev A tensor as the table's leaf holds it.
    struct Tensor {
        /// @dev keccak256 of its name.
        bytes32 nameHash;
        /// @dev First coordinate.
        uint256 offset;
        /// @dev Coordinates in use.
        uint256 size;
        /// @dev Binary places of its model coordinates.
        uint256 fractionBits;
        /// @dev By how many binary places its updates are finer.
        uint256 preScaleBits;
    }

    /// @dev Whether a leaf of `length` bytes stands at `index` of the tree of `leaves` leaves with this root.
    function opens(Leaf memory leaf, uint256 length, uint256 kind, bytes32 root, uint256 index, uint256 leaves)
        internal
        view
        returns (bool)
    {
        return leaf.data.length == length
            && Trees.proves(kind, root, Trees.leafHash(kind, leaf.data), index, leaves, leaf.proof);
    }

    /// @dev Whether nothing stands at `index`, which completes the tree to a power of two.
    function opensPadding(bytes32[] memory proof, uint256 kind, bytes32 root, uint256 index, uint256 leaves)
        internal
        view
        returns (bool)
    {
        return index >= leaves && Trees.proves(kind, root, 0, index, leaves, proof);
    }

    /// @dev Whether a contribution stands at `index`.
    function opens(
        Contribution memory contribution,
        bytes32[] memory proof,
        bytes32 root,
        uint256 index,
        uint256 leaves
    ) internal view returns (bool) {
        bytes32 leaf = Trees.leafHash(Trees.CONTRIBUTIONS, abi.encode(contribution));
        return index < leaves && Trees.proves(Trees.CONTRIBUTIONS, root, leaf, index, leaves, proof);
    }

    /// @dev Root over all contributions of a round, at least one.
    function rootOf(Contribution[] memory contributions) internal pure returns (bytes32) {
        bytes32[] memory leaves = new bytes32[](contributions.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = Trees.leafHash(Trees.CONTRIBUTIONS, abi.encode(contributions[i]));
        }
        return Trees.rootOf(Trees.CONTRIBUTIONS, leaves);
    }

    /// @dev Whether a tensor is in the table. The table is the manifest's, so its depth need not be known.
    function opens(Tensor memory tensor, uint256 index, bytes32[] memory proof, bytes32 root)
        internal
        view
        returns (bool)
    {
        bytes32 leaf = Trees.leafHash(Trees.TENSORS, abi.encode(tensor));
        return Trees.fold(Trees.TENSORS, leaf, index, proof) == root;
    }
}
