import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { findFoundryBinary } from '../../contracts/foundry-binary.ts';
import { connectRpc, toQuantity } from '../../contracts/rpc.ts';
import type { TestChain } from './federation.ts';
import { freePort } from './program.ts';

/** A chain whose node can be killed. It keeps its state when it stops in order, and never otherwise. */
export interface MortalChain extends TestChain {
  /** Kills the node: every block since it was started is lost, as in a reorganization of them all. */
  kill(): Promise<void>;
  /** Stops the node in order. */
  halt(): Promise<void>;
  /** Starts it again from the state it kept, at the same address; so many blocks of others take the place of lost ones. */
  restart(othersBlocks?: number): Promise<void>;
}

export async function startMortalChain(stateFile: string): Promise<MortalChain> {
  const port = await freePort();
  const rpcUrl = `http://127.0.0.1:${port}`;
  const rpc = connectRpc({ url: rpcUrl });
  const binary = findFoundryBinary('anvil') as string;
  const settings = ['--silent', '--host', '127.0.0.1', '--port', String(port), '--chain-id', '31337'];
  const rules = ['--hardfork', 'osaka', '--accounts', '0', '--state', stateFile];
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(binary, [...settings, ...rules], { stdio: 'ignore' });
    // A node tells nobody when it is ready.
    while ((await rpc.call('eth_chainId', []).catch(() => undefined)) === undefined) {
      if (child.exitCode !== null) throw new Error(`the chain ended with code ${child.exitCode}`);
      await delay(10);
    }
    return child;
  };
  let node = await start();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (node.exitCode !== null || node.signalCode !== null) return;
    const ended = once(node, 'exit');
    node.kill(signal);
    await ended;
  };
  return {
    rpcUrl,
    kill: () => end('SIGKILL'),
    halt: () => end('SIGINT'),
    restart: async (othersBlocks = 0) => {
      node = await start();
      if (othersBlocks > 0) await rpc.call('anvil_mine', [toQuantity(othersBlocks)]);
    },
    stop: () => end('SIGINT'),
    fund: async (address, wei) => {
      await rpc.call('anvil_setBalance', [address, toQuantity(wei)]);
    },
    increaseTime: async (seconds) => {
      await rpc.call('evm_increaseTime', [seconds]);
      await rpc.call('evm_mine', []);
    },
  };
}
