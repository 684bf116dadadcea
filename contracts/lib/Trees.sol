// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/**
 * @title Trees
 * @dev SHA-256 Merkle trees with a tag byte for the kind and one for the level, as `shared/commitments/merkle-tree`:
 * `leaf = SHA-256(kind ‖ 0 ‖ data)`, `node = SHA-256(kind ‖ level ‖ left ‖ right)`, padded with 32 zero bytes to a power
 * of two. The tags make it impossible to pass a node for a leaf, a node of one height for one of another, or anything of
 * one kind of tree for something of another.
 */
library Trees {
    /// @dev A client's update, leaves of 4,096 bytes.
    uint256 internal constant UPDATE = 1;
    /// @dev The matrix of admitted updates, a leaf the n x 64 int16 of one block.
    uint256 internal constant MATRIX = 2;
    /// @dev A model, a leaf 64 int32.
    uint256 internal constant MODEL = 3;
    /// @dev A server optimizer's state, as a model.
    uint256 internal constant SERVER_STATE = 4;
    /// @dev An aggregate, as a model.
    uint256 internal constant AGGREGATE = 5;
    /// @dev Contributions, a leaf seven words.
    uint256 internal constant CONTRIBUTIONS = 6;
    /// @dev The Gram matrix, a leaf one row of signed words.
    uint256 internal constant GRAM = 7;
    /// @dev Aggregation weights, a leaf one signed word.
    uint256 internal constant WEIGHTS = 8;
    /// @dev Scores, a leaf one signed word.
    uint256 internal constant SCORES = 9;
    /// @dev The table of tensors, a leaf five words.
    uint256 internal constant TENSORS = 10;

    /// @dev The SHA-256 precompile failed, which takes running out of gas.
    error TreesHashFailed();

    /// @dev Hash of a leaf. `data` is left as it was.
    function leafHash(uint256 kind, bytes memory data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint16(kind << 8), data));
    }

    /// @dev Levels above the leaves of a tree of `leaves` leaves.
    function depthOf(uint256 leaves) internal pure returns (uint256 depth) {
        while (1 << depth < leaves) ++depth;
    }

    /**
     * @dev The root that follows from a leaf hash at `index` and its siblings, lowest first. Zero where the index does not
     * fit the proof's length; no root is zero.
     */
    function fold(uint256 kind, bytes32 leaf, uint256 index, bytes32[] memory proof)
        internal
        view
        returns (bytes32 node)
    {
        if (index >> proof.length != 0) return 0;
        bool done = true;
        assembly ("memory-safe") {
            // The scratch is free memory: two tag bytes that end at its first word's end, then both children.
            let scratch := mload(0x40)
            let sibling := add(proof, 0x20)
            let levels := mload(proof)
            node := leaf
            for { let height := 0 } lt(height, levels) { height := add(height, 1) } {
                mstore(scratch, or(shl(8, kind), add(height, 1)))
                let right := and(shr(height, index), 1)
                mstore(add(scratch, add(0x20, shl(5, right))), node)
                mstore(add(scratch, sub(0x40, shl(5, right))), mload(sibling))
                done := and(done, staticcall(gas(), 2, add(scratch, 0x1e), 0x42, 0x00, 0x20))
                node := mload(0x00)
                sibling := add(sibling, 0x20)
            }
        }
        if (!done) revert TreesHashFailed();
    }

    /// @dev Whether `leaf` stands at `index` of the tree of `leaves` leaves with this root.
    function proves(uint256 kind, bytes32 root, bytes32 leaf, uint256 index, uint256 leaves, bytes32[] memory proof)
        internal
        view
        returns (bool)
    {
        return root != 0 && proof.length == depthOf(leaves) && fold(kind, leaf, index, proof) == root;
    }

    /// @dev Root of a tree over these leaf hashes, at least one. The array serves as scratch.
    function rootOf(uint256 kind, bytes32[] memory nodes) internal pure returns (bytes32) {
        uint256 count = nodes.length;
        bytes32 filler = 0;
        for (uint256 height = 1; count > 1; ++height) {
            uint256 parents = (count + 1) / 2;
            for (uint256 i = 0; i < parents; ++i) {
                bytes32 right = 2 * i + 1 < count ? nodes[2 * i + 1] : filler;
                nodes[i] = sha256(abi.encodePacked(uint8(kind), uint8(height), nodes[2 * i], right));
            }
            filler = sha256(abi.encodePacked(uint8(kind), uint8(height), filler, filler));
            count = parents;
        }
        return nodes[0];
    }

    /// @dev Root of a tree whose leaves are single words.
    function rootOfWords(uint256 kind, uint256[] memory words) internal pure returns (bytes32) {
        bytes32[] memory nodes = new bytes32[](words.length);
        for (uint256 i = 0; i < words.length; ++i) {
            nodes[i] = sha256(abi.encodePacked(uint16(kind << 8), words[i]));
        }
        return rootOf(kind, nodes);
    }

    /**
     * @dev Root of a tree whose leaves are rows of `width` words each, given one after the other. Hashes them where they
     * lie, for a matrix may fill much memory.
     */
    function rootOfRows(uint256 kind, int256[] memory cells, uint256 width) internal view returns (bytes32) {
        uint256 rows = cells.length / width;
        bytes32[] memory nodes = new bytes32[](rows);
        bool done = true;
        for (uint256 i = 0; i < rows; ++i) {
            bytes32 node;
            assembly ("memory-safe") {
                // The word before a row lends its last two bytes to the tags and gets them back.
                let start := add(cells, shl(5, mul(i, width)))
                let kept := mload(start)
                mstore(start, shl(8, kind))
                done := and(done, staticcall(gas(), 2, add(start, 0x1e), add(2, shl(5, width)), 0x00, 0x20))
                node := mload(0x00)
                mstore(start, kept)
            }
            nodes[i] = node;
        }
        if (!done) revert TreesHashFailed();
        return rootOf(kind, nodes);
    }
}
