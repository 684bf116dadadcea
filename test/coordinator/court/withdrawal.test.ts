import { expect, it, onTestFinished } from 'vitest';
import { connectLedger } from '../../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../../contracts/ledger/ledger-writer.ts';
import { createWithdrawal } from '../../../coordinator/anchor-record.ts';
import { deployTestJob, roundRecord, startTestChain, wallet } from '../../contracts/harness.ts';
import { eventually } from './hosted-job.ts';

it('a record that is withdrawn on its way is never mined; one that is mined, or was never sent, stays as it is', async () => {
  const chain = await startTestChain();
  onTestFinished(() => chain.close());
  const outbox = await chain.openOutbox(wallet('coordinator'));
  const { anchor, vault, token } = await deployTestJob(chain, outbox);
  const ledger = await connectLedger({ rpc: chain.rpc, anchor, vault });
  const writer = createLedgerWriter(outbox, { anchor, vault, token });
  const withdraw = createWithdrawal(outbox, anchor);

  await withdraw(1, 0);
  await writer.anchor(roundRecord(1));
  await withdraw(1, 0);
  expect(await ledger.latestRound()).toBe(1);

  await chain.rpc.call('evm_setAutomine', [false]);
  const sending = writer.anchor(roundRecord(2)).catch((error: unknown) => error);
  await eventually(
    () => outbox.status().pending,
    (pending) => pending.length === 1,
  );
  const withdrawing = withdraw(2, 0);
  await eventually(
    () => outbox.status().pending[0]?.cancelling,
    (cancelling) => cancelling === true,
  );
  await chain.rpc.call('evm_mine', []);
  await withdrawing;
  expect(await sending).toMatchObject({ code: 'outbox/cancelled' });
  await chain.rpc.call('evm_setAutomine', [true]);
  expect(await ledger.latestRound()).toBe(1);
  await writer.anchor(roundRecord(2, { attempt: 1 }));
  expect(await ledger.latestRound()).toBe(2);
});
