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
    uint256 private constant NONE = 0xffffffff;

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
        // Addresses in the list; the first byte is none of them.
        uint256 listed = list.length / ADDRESS_BYTES;
        // Of the next position that may come: ascending order is what makes signers differ.
        uint256 least = 0;
        uint256 foreign = NONE;
        assembly ("memory-safe") {
            // Input of the precompile: digest, v, r, s. The rest is checked once, at the end.
            let input := mload(0x40)
            mstore(input, message)
            let place := packed.offset
            for { let end := add(place, packed.length) } lt(place, end) { place := add(place, 66) } {
                let position := shr(240, calldataload(place))
                if or(lt(position, least), iszero(lt(position, listed))) {
                    least := NONE
                    break
                }
                least := add(position, 1)
                let vs := calldataload(add(place, 34))
                mstore(add(input, 0x20), add(shr(255, vs), 27))
                calldatacopy(add(input, 0x40), add(place, 2), 0x20)
                mstore(add(input, 0x60), shr(1, shl(1, vs)))
                // Where nothing is recovered, nothing is written: zero is nobody's address.
                mstore(0x00, 0)
                pop(staticcall(gas(), 1, input, 0x80, 0x00, 0x20))
                let signer := mload(0x00)
                let expected := shr(96, mload(add(add(list, 0x21), mul(position, ADDRESS_BYTES))))
                if or(iszero(signer), iszero(eq(signer, expected))) {
                    foreign := position
                    break
                }
            }
        }
        if (least == NONE) revert AttestationsMalformed();
        if (foreign != NONE) revert AttestationsForeignSignature(foreign);
    }
}
