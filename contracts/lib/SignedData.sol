// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

// The order of members and the length of names are part of what is signed.
// solhint-disable gas-struct-packing, gas-small-strings

/**
 * @title SignedData
 * @dev What parties sign by EIP-712, as `shared/commitments/typed-data`: domain `fedanchor`, version 1, this chain, the
 * job's RoundAnchor.
 */
library SignedData {
    /// @dev What a client states about its update.
    struct Update {
        /// @dev The job.
        bytes32 job;
        /// @dev Round number, from 1.
        uint64 round;
        /// @dev The job's attempt number.
        uint32 attempt;
        /// @dev Model that was trained from.
        bytes32 parentRoot;
        /// @dev Root of the update's tree.
        bytes32 updateRoot;
        /// @dev Training samples behind the update.
        uint32 samples;
        /// @dev Largest magnitude of a coordinate, in update units.
        uint32 largestMagnitude;
        /// @dev Commitment to the data set.
        bytes32 datasetCommitment;
    }

    /// @dev The coordinator's answer to one submission.
    struct Receipt {
        /// @dev The job.
        bytes32 job;
        /// @dev Round that was submitted for.
        uint64 round;
        /// @dev Attempt that was submitted for.
        uint32 attempt;
        /// @dev Who submitted.
        address participant;
        /// @dev Root that was submitted.
        bytes32 updateRoot;
        /// @dev 1: accepted.
        uint8 verdict;
        /// @dev Why not, empty when accepted.
        string code;
    }

    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant UPDATE_TYPE = keccak256(
        "Update(bytes32 job,uint64 round,uint32 attempt,bytes32 parentRoot,bytes32 updateRoot,uint32 samples,uint32 largestMagnitude,bytes32 datasetCommitment)"
    );
    bytes32 private constant RECEIPT_TYPE = keccak256(
        "Receipt(bytes32 job,uint64 round,uint32 attempt,address participant,bytes32 updateRoot,uint8 verdict,string code)"
    );
    bytes32 private constant ATTESTATION_TYPE = keccak256("Attestation(bytes32 job,uint64 round,bytes26 head)");

    /// @dev Hash of the domain of the job whose anchor this is.
    function separator(address anchor) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, keccak256("fedanchor"), keccak256("1"), block.chainid, anchor));
    }

    /// @dev The digest to sign over a struct's hash.
    function digest(address anchor, bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", separator(anchor), structHash));
    }

    /// @dev Hash of an update's statement.
    function hash(Update memory update) internal pure returns (bytes32) {
        return keccak256(abi.encode(UPDATE_TYPE, update));
    }

    /// @dev Hash of a receipt.
    function hash(Receipt memory receipt) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                RECEIPT_TYPE,
                receipt.job,
                receipt.round,
                receipt.attempt,
                receipt.participant,
                receipt.updateRoot,
                receipt.verdict,
                keccak256(bytes(receipt.code))
            )
        );
    }

    /// @dev Hash of an attestation: the chain up to `head` was fetched and recomputed.
    function hashAttestation(bytes32 job, uint64 round, bytes26 head) internal pure returns (bytes32) {
        return keccak256(abi.encode(ATTESTATION_TYPE, job, round, head));
    }
}
