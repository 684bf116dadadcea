// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {Create3} from "@openzeppelin/contracts/utils/Create3.sol";
import {Deployer} from "../Deployer.sol";
import {IDeployer} from "../interfaces/IDeployer.sol";
import {Vm} from "./Base.sol";

/// @dev Names another contract that may not be there yet.
contract Friend {
    address public immutable friend;
    address public immutable creator;

    error FriendOfNobody(uint256 number);

    constructor(address friend_, uint256 number) {
        if (friend_ == address(0)) revert FriendOfNobody(number);
        friend = friend_;
        creator = msg.sender;
    }
}

/// @dev Calls back into the Deployer while it is being created.
contract Nested {
    address public immutable inner;

    constructor(IDeployer deployer, bytes32 salt, bytes memory code) {
        inner = deployer.deploy(salt, code);
    }
}

contract DeployerTest {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    Deployer private deployer;

    function setUp() public {
        deployer = new Deployer();
    }

    function friendCode(address friend, uint256 number) private pure returns (bytes memory) {
        return abi.encodePacked(type(Friend).creationCode, abi.encode(friend, number));
    }

    /// @dev The address does not depend on the code, so it is known to the code of the other.
    function test_contractsCanNameEachOther() public {
        address first = deployer.addressOf(address(this), "first");
        address second = deployer.addressOf(address(this), "second");
        require(deployer.deploy("first", friendCode(second, 1)) == first, "first is elsewhere");
        require(deployer.deploy("second", friendCode(first, 2)) == second, "second is elsewhere");
        require(Friend(first).friend() == second && Friend(second).friend() == first, "they do not know each other");
    }

    function testFuzz_anAddressIsThatOfSenderAndSaltAlone(address sender, bytes32 salt, uint256 number) public {
        vm.assume(sender != address(0));
        address expected = deployer.addressOf(sender, salt);
        vm.expectEmit(true, true, true, true);
        emit IDeployer.Deployed(sender, salt, expected);
        vm.prank(sender);
        require(deployer.deploy(salt, friendCode(sender, number)) == expected, "it is elsewhere");
        require(expected.code.length > 0, "nothing was created");
    }

    function testFuzz_nobodyTakesTheAddressOfAnother(address owner, address other, bytes32 salt) public {
        vm.assume(owner != other && owner != address(0) && other != address(0));
        address reserved = deployer.addressOf(owner, salt);
        vm.prank(other);
        require(deployer.deploy(salt, friendCode(other, 1)) != reserved, "the address is taken");
        vm.prank(owner);
        require(deployer.deploy(salt, friendCode(owner, 1)) == reserved, "the owner's is elsewhere");
    }

    function test_aSaltIsUsedOnce() public {
        deployer.deploy("salt", friendCode(address(this), 1));
        bytes memory other = friendCode(address(deployer), 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.FailedDeployment.selector));
        deployer.deploy("salt", other);
    }

    function test_theConstructorsRevertIsPassedOnAndTheSaltStaysFree() public {
        vm.expectRevert(abi.encodeWithSelector(Friend.FriendOfNobody.selector, uint256(7)));
        deployer.deploy("salt", friendCode(address(0), 7));
        address expected = deployer.addressOf(address(this), "salt");
        require(deployer.deploy("salt", friendCode(address(this), 7)) == expected, "it is elsewhere");
    }

    function test_codeThatIsNoneIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(Create3.Create3EmptyBytecode.selector));
        deployer.deploy("salt", "");
    }

    /// @dev A constructor that creates is a sender of its own.
    function test_reentrancy_aConstructorCannotTakeItsCreatorsSalt() public {
        bytes memory nested = abi.encodePacked(
            type(Nested).creationCode, abi.encode(deployer, bytes32("salt"), friendCode(address(this), 1))
        );
        address outer = deployer.deploy("salt", nested);
        require(outer == deployer.addressOf(address(this), "salt"), "the outer is elsewhere");
        require(Nested(outer).inner() == deployer.addressOf(outer, "salt"), "the inner is elsewhere");
    }
}
