import { createClient } from '../../client/run.ts';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { createWallet } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { createDriftTrainer, PAUSES } from './drift-trainer.ts';
import { around } from './faults.ts';
import { makeDiskFaulty } from './faulty-disk.ts';

// One participant under test, a process of its own on faulty ports; it ends with the job.

/** What the parent passes as the one argument, in JSON. */
export interface ClientArguments {
  /** The coordinator. */
  readonly coordinatorUrl: string;
  /** Node of the chain. */
  readonly rpcUrl: string;
  /** The job's RoundAnchor. */
  readonly anchor: Hex;
  /** Its private key. */
  readonly key: Hex;
  /** Its own folder. */
  readonly stateDir: string;
  /** Decides its random choices. */
  readonly seed: number;
}

makeDiskFaulty();
usePlatformHashing();
const { rpcUrl, anchor, key, ...options } = JSON.parse(process.argv[2] as string) as ClientArguments;
const facts = await (await connectLedger({ rpcUrl, anchor })).facts();
const tell = (fields: Readonly<Record<string, unknown>>, message: string): void => {
  process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
};
const outcome = await createClient({
  ...options,
  facts,
  signer: createWallet(key),
  pauses: PAUSES,
  createTrainer: async () => {
    const local = createDriftTrainer();
    const { train, evaluate } = local.trainer;
    const trainer = {
      ...local.trainer,
      train: (...args: Parameters<typeof train>) => around('train', () => train(...args)),
      evaluate: (...args: Parameters<typeof evaluate>) => around('evaluate', () => evaluate(...args)),
    };
    return { ...local, trainer };
  },
  log: { debug: () => {}, info: tell, warn: tell, error: tell },
}).run();
process.stdout.write(`${outcome.kind}\n`);
