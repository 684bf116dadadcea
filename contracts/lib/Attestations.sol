// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {SignedData} from "./SignedData.sol";

/**
 * @title Attestations
 * @dev Counts signatures of listed participants over one digest. The list is an account's code, so a signature costs
 * little beyond its recovery: no storage is read for it.
 */
library Attestations {
    uint256 private constant SIZE = 66;
    uint256 private constant ADDRESS_BYTES = 20;

    /// @dev Attestations come one after the other, 66 bytes each, by ascending position in the list.
    error AttestationsMalformed();

    /// @dev The signature at this position of the list is not its participant's.
    error AttestationsForeignSignature(uint256 position);

    /// @dev What a participant signs after it has fetched and recomputed the rounds up to `head`.
    function digest(bytes32 job, uint64 round, bytes26 head) internal view returns (bytes32) {
        return SignedData.digest(address(this), SignedData.hashAttestation(job, round, head));
    }

    /**
     * @dev Number of attestations, every one of which must be good.
     *
     * @param message the digest signed
     * @param packed position (2 bytes), r (32), s with the parity of v in its highest bit (32), and so on
     * @param store account whose code is a zero byte and the participants' addresses
     */
    function count(bytes32 message, bytes calldata packed, address store) internal view returns (uint256 number) {
        if (packed.length % SIZE != 0) revert AttestationsMalformed();
        number = packed.length / SIZE;
        bytes memory list = store.code;
        // Of the next position that may come: ascending order is what makes signers differ.
        uint256 least = 0;
        for (uint256 i = 0; i < number; ++i) {
            bytes calldata one = packed[i * SIZE:(i + 1) * SIZE];
            uint256 position = uint16(bytes2(one[:2]));
            if (position < least || (position + 1) * ADDRESS_BYTES >= list.length) revert AttestationsMalformed();
            least = position + 1;
            address listed;
            assembly ("memory-safe") {
                listed := shr(96, mload(add(add(list, 0x21), mul(position, ADDRESS_BYTES))))
            }
            bytes32 vs = bytes32(one[34:]);
            uint8 v = uint8(uint256(vs) >> 255) + 27;
            address signer = ecrecover(message, v, bytes32(one[2:34]), vs << 1 >> 1);
            if (signer != listed || signer == address(0)) revert AttestationsForeignSignature(position);
        }
    }
}
