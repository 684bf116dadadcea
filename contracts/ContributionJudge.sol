// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Circumstances, Facts, IJudge, Kind} from "./interfaces/IJudge.sol";
import {IStakeManager} from "./interfaces/IStakeManager.sol";
import {FixedPoint} from "./lib/FixedPoint.sol";
import {Openings} from "./lib/Openings.sol";
import {SignedData} from "./lib/SignedData.sol";
import {Trees} from "./lib/Trees.sol";

/**
 * @title ContributionJudge
 * @dev Decides who contributed what: links of the matrix to signed updates, signatures and eligibility, omissions.
 */
contract ContributionJudge is IJudge {
    using Openings for Openings.Leaf;
    using Openings for Openings.Contribution;
    using Openings for bytes32[];

    /// @dev What shows that a block of the matrix is the participant's.
    struct LinkAnswer {
        /// @dev The participant's contribution.
        Openings.Contribution contribution;
        /// @dev Its proof.
        bytes32[] proof;
        /// @dev The 4,096 bytes of the update that contain the block, or what the last leaf has.
        Openings.Leaf update;
        /// @dev The block of all n updates.
        Openings.Leaf matrix;
    }

    /// @dev What shows that a contribution is the participant's, or that there is none at a row that completes the tree.
    struct ContributionAnswer {
        /// @dev The contribution; anything at a row that completes the tree.
        Openings.Contribution contribution;
        /// @dev Its proof.
        bytes32[] proof;
        /// @dev The participant's signature.
        bytes signature;
        /// @dev The contribution one row above; anything for the first row.
        Openings.Contribution previous;
        /// @dev Its proof.
        bytes32[] previousProof;
    }

    /// @dev What shows that an accepted update is in the round.
    struct OmissionAnswer {
        /// @dev Row of the contribution.
        uint256 row;
        /// @dev The contribution.
        Openings.Contribution contribution;
        /// @dev Its proof.
        bytes32[] proof;
    }

    uint256 private constant MAX_PARTICIPANTS = 64;
    uint256 private constant UPDATE_LEAF = 4096;
    uint256 private constant ROW = 128;
    uint256 private constant ADMITTED = 1;
    uint8 private constant ACCEPTED = 1;

    /// @inheritdoc IJudge
    function admits(Kind kind, Facts calldata facts, Circumstances calldata circumstances, bytes calldata subject)
        external
        view
        returns (bool)
    {
        uint256 n = facts.record.participants;
        if (kind == Kind.Link) {
            (uint256 row, uint256 block_) = abi.decode(subject, (uint256, uint256));
            return n <= MAX_PARTICIPANTS && row < n && block_ < circumstances.blocks;
        }
        if (kind == Kind.Contribution) return abi.decode(subject, (uint256)) >> Trees.depthOf(n) == 0;
        if (kind != Kind.Omission) return false;
        (SignedData.Receipt memory receipt, bytes memory signature) = abi.decode(subject, (SignedData.Receipt, bytes));
        // A receipt of another attempt says nothing about this one: after a rewind everybody is asked again.
        if (
            receipt.job != facts.record.job || receipt.round != facts.record.round
                || receipt.attempt != facts.record.attempt || receipt.verdict != ACCEPTED
        ) return false;
        bytes32 digest = SignedData.digest(circumstances.anchor, SignedData.hash(receipt));
        return _signer(digest, signature) == circumstances.coordinator;
    }

    /// @inheritdoc IJudge
    function holds(
        Kind kind,
        Facts calldata facts,
        Circumstances calldata circumstances,
        bytes calldata subject,
        bytes calldata answer
    ) external view returns (bool) {
        if (kind == Kind.Link) {
            (uint256 row, uint256 block_) = abi.decode(subject, (uint256, uint256));
            return _linkHolds(facts, circumstances.blocks, row, block_, abi.decode(answer, (LinkAnswer)));
        }
        if (kind == Kind.Contribution) {
            uint256 row = abi.decode(subject, (uint256));
            return _contributionHolds(facts, circumstances, row, abi.decode(answer, (ContributionAnswer)));
        }
        (SignedData.Receipt memory receipt,) = abi.decode(subject, (SignedData.Receipt, bytes));
        OmissionAnswer memory opened = abi.decode(answer, (OmissionAnswer));
        return opened.contribution.participant == receipt.participant
            && opened.contribution.updateRoot == receipt.updateRoot
            && _opens(facts, opened.contribution, opened.proof, opened.row);
    }

    function _linkHolds(Facts calldata facts, uint256 blocks, uint256 row, uint256 block_, LinkAnswer memory opened)
        private
        view
        returns (bool)
    {
        if (!_opens(facts, opened.contribution, opened.proof, row)) return false;
        uint256 n = facts.record.participants;
        if (!opened.matrix.opens(n * ROW, Trees.MATRIX, facts.record.matrixRoot, block_, blocks)) return false;
        if (!_updateOpens(opened.update, opened.contribution.updateRoot, blocks, block_ * ROW / UPDATE_LEAF)) {
            return false;
        }
        uint256 start = block_ * ROW % UPDATE_LEAF;
        int256 most = int256(opened.contribution.largestMagnitude);
        for (uint256 i = 0; i < FixedPoint.BLOCK; ++i) {
            int256 value = FixedPoint.int16At(opened.matrix.data, row * FixedPoint.BLOCK + i);
            if (value != FixedPoint.int16At(opened.update.data, start / 2 + i)) return false;
            // The gate compares the magnitude signed for with the update, so none that exceeds it was to be admitted.
            if (value > most || -value > most) return false;
        }
        return true;
    }

    function _updateOpens(Openings.Leaf memory leaf, bytes32 root, uint256 blocks, uint256 index)
        private
        view
        returns (bool)
    {
        uint256 size = blocks * ROW;
        uint256 rest = size - index * UPDATE_LEAF;
        uint256 leaves = (size + UPDATE_LEAF - 1) / UPDATE_LEAF;
        return leaf.opens(rest < UPDATE_LEAF ? rest : UPDATE_LEAF, Trees.UPDATE, root, index, leaves);
    }

    function _contributionHolds(
        Facts calldata facts,
        Circumstances calldata circumstances,
        uint256 row,
        ContributionAnswer memory opened
    ) private view returns (bool) {
        uint256 n = facts.record.participants;
        bytes32 root = facts.record.contributionsRoot;
        if (row >= n) return opened.proof.opensPadding(Trees.CONTRIBUTIONS, root, row, n);
        Openings.Contribution memory own = opened.contribution;
        if (!_opens(facts, own, opened.proof, row) || own.verdict != ADMITTED) return false;
        if (row > 0) {
            // Ascending order is what keeps a participant from being counted twice.
            if (!_opens(facts, opened.previous, opened.previousProof, row - 1)) return false;
            if (opened.previous.participant >= own.participant) return false;
        }
        if (keccak256(opened.signature) != own.signatureHash) return false;
        bytes32 digest = SignedData.digest(circumstances.anchor, _statementHash(facts, own));
        return _signer(digest, opened.signature) == own.participant
            && IStakeManager(circumstances.stakes).isEligible(own.participant, circumstances.anchoredAt);
    }

    function _statementHash(Facts calldata facts, Openings.Contribution memory own) private pure returns (bytes32) {
        // Beyond 32 bits nobody can have signed it: the encoding would differ.
        if (own.samples > type(uint32).max || own.largestMagnitude > type(uint32).max) return 0;
        return SignedData.hash(
            SignedData.Update({
                job: facts.record.job,
                round: facts.record.round,
                attempt: facts.record.attempt,
                parentRoot: facts.record.parentModelRoot,
                updateRoot: own.updateRoot,
                samples: uint32(own.samples),
                largestMagnitude: uint32(own.largestMagnitude),
                datasetCommitment: own.datasetCommitment
            })
        );
    }

    function _opens(
        Facts calldata facts,
        Openings.Contribution memory contribution,
        bytes32[] memory proof,
        uint256 row
    ) private view returns (bool) {
        return contribution.opens(proof, facts.record.contributionsRoot, row, facts.record.participants);
    }

    /// @dev The signer, or zero for what is no signature; high s counts as none.
    function _signer(bytes32 digest, bytes memory signature) private pure returns (address) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature);
        return failure == ECDSA.RecoverError.NoError ? signer : address(0);
    }
}
