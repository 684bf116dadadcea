import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startEmbeddedChain } from '../../contracts/embedded-chain.ts';
import { GUARD_PROGRAM } from '../../contracts/embedded-chain-guard.ts';
import { findFoundryBinary, foundryPackage } from '../../contracts/foundry-binary.ts';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import { deployTestJob, ONE_COIN, roundRecord, startTestChain, type TestChain, wallet } from './harness.ts';

let open: TestChain | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

describe('the embedded chain', () => {
  it('serves its chain id, funds accounts and moves its clock', async () => {
    open = await startTestChain({ chainId: 4242 });
    expect(await open.rpc.call('eth_chainId', [])).toBe('0x1092');
    const { address } = wallet('someone');
    await open.chain.fund(address, 7n * ONE_COIN);
    expect(BigInt((await open.rpc.call('eth_getBalance', [address, 'latest'])) as string)).toBe(7n * ONE_COIN);
    const { rpc } = open;
    const time = async () =>
      Number(((await rpc.call('eth_getBlockByNumber', ['latest', false])) as { timestamp: string }).timestamp);
    const before = await time();
    await open.chain.increaseTime(1000);
    expect(await time()).toBeGreaterThanOrEqual(before + 1000);
  });

  it('comes up again with its contracts, records and receipts', async () => {
    open = await startTestChain();
    const outbox = await open.openOutbox(wallet('coordinator'));
    const job = await deployTestJob(open, outbox);
    const receipt = await createLedgerWriter(outbox, job).anchor(roundRecord(1));
    const records = await (await connectLedger({ rpc: open.rpc, anchor: job.anchor })).records();
    expect(records).toHaveLength(1);
    await open.chain.increaseTime(100_000);
    await open.chain.stop();
    expect(await open.chain.exited).toBe(0);

    const again = await startEmbeddedChain({ stateFile: join(open.folder, 'state.json') });
    try {
      const ledger = await connectLedger({ rpcUrl: again.rpcUrl, ...job });
      expect(await ledger.records()).toEqual(records);
      expect(await ledger.isFinal(roundRecord(1))).toBe(true);
      const found = await connectRpc({ url: again.rpcUrl }).call('eth_getTransactionReceipt', [
        receipt.transactionHash,
      ]);
      expect(found).toMatchObject({ blockHash: receipt.blockHash });
    } finally {
      await again.stop();
    }
  });

  it('names a taken port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await expect(startEmbeddedChain({ stateFile: '/nowhere/state.json', port })).rejects.toMatchObject({
      code: 'chain/port-taken',
      data: { port },
    });
    server.close();
  });

  it('creates the folder of its state file, and says so when the state is damaged', async () => {
    open = await startTestChain();
    const stateFile = join(open.folder, 'new', 'state.json');
    await (await startEmbeddedChain({ stateFile })).stop();
    expect((await readFile(stateFile)).length).toBeGreaterThan(0);
    await writeFile(stateFile, '{"damaged":');
    await expect(startEmbeddedChain({ stateFile })).rejects.toMatchObject({ code: 'chain/not-started' });
  });

  it('names the package a platform would need', () => {
    expect(foundryPackage('anvil', 'linux', 'x64')).toBe('@foundry-rs/anvil-linux-amd64');
    expect(foundryPackage('anvil', 'sunos', 'mips')).toBe('@foundry-rs/anvil-sunos-mips');
    expect(findFoundryBinary('anvil')).toBeDefined();
  });

  it('ends, state written, when its parent is killed', async () => {
    open = await startTestChain();
    const stateFile = join(open.folder, 'orphan.json');
    const port = 20_000 + (process.pid % 20_000);
    const node = [findFoundryBinary('anvil'), '--silent', '--port', String(port), '--state', stateFile];
    const program = `
      const { spawn } = require('node:child_process');
      spawn(process.execPath, ['-e', process.argv[1], ...process.argv.slice(2)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    `;
    const parent = spawn(process.execPath, ['-e', program, GUARD_PROGRAM, ...node.map(String)], { stdio: 'ignore' });
    const rpcUrl = `http://127.0.0.1:${port}`;
    const orphan = connectRpc({ url: rpcUrl });
    const answers = () =>
      orphan.call('eth_chainId', []).then(
        () => true,
        () => false,
      );
    await vi.waitUntil(answers, { timeout: 10_000 });
    parent.kill('SIGKILL');
    await vi.waitUntil(async () => !(await answers()), { timeout: 10_000 });
    expect(JSON.parse(await readFile(stateFile, 'utf8'))).toHaveProperty('accounts');
  });
});
