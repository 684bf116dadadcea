// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/// @dev A rewards tree of four leaves, written down from its definition and not with the library under test.
library Tree {
    struct Four {
        bytes32 root;
        address[4] accounts;
        uint256[4] amounts;
        bytes32[4] leaves;
        bytes32[][4] proofs;
    }

    function four(address[4] memory accounts, uint256[4] memory amounts) internal pure returns (Four memory tree) {
        tree.accounts = accounts;
        tree.amounts = amounts;
        for (uint256 i = 0; i < 4; ++i) {
            tree.leaves[i] = keccak256(bytes.concat(keccak256(abi.encode(accounts[i], amounts[i]))));
        }
        bytes32 left = pair(tree.leaves[0], tree.leaves[1]);
        bytes32 right = pair(tree.leaves[2], tree.leaves[3]);
        tree.root = pair(left, right);
        for (uint256 i = 0; i < 4; ++i) {
            tree.proofs[i] = new bytes32[](2);
            tree.proofs[i][0] = tree.leaves[i ^ 1];
            tree.proofs[i][1] = i < 2 ? right : left;
        }
    }

    function pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
    }
}
