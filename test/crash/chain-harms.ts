import type { MortalChain } from './mortal-chain.ts';
import type { Life } from './program.ts';

/** What a harm has in its hands while the coordinator is held at a point. */
export interface Stage {
  readonly chain: MortalChain;
  /** Lets the coordinator go on. */
  go(): void;
  /** Resolves when the coordinator has told of these words. */
  told(words: string): Promise<void>;
  /** Kills the coordinator where it is held. */
  killCoordinator(): Promise<void>;
  /** Starts it again, without a fault. */
  startCoordinator(): Life;
}

/** Longer than the chain was: one that has become shorter may as well be a node that lags, and is given time. */
const OTHERS_BLOCKS = 8;

const LATE = 'outbox: row confirmed is kept | after#2';
const POINTS: readonly string[] = [
  'outbox: row pending is kept | before',
  'outbox: row pending is kept | after',
  'chain: transaction is broadcast | after',
  'outbox: row confirmed is kept | before',
  // By then the first round has been confirmed, and is lost with the second.
  'chain: transaction is broadcast | after#2',
  LATE,
];

const SHORTER = 'is killed, and is back at once without the blocks of the job and with none in their place';

/** What may befall a chain while the coordinator stands still. */
export const HARMS = {
  'is killed, loses every block of the job, and is back at once': async ({ chain, go }: Stage) => {
    await chain.kill();
    await chain.restart(OTHERS_BLOCKS);
    go();
  },
  [SHORTER]: async ({ chain, go }: Stage) => {
    await chain.kill();
    await chain.restart();
    go();
  },
  'is killed, is missed by the coordinator, and comes back without the blocks of the job': async (stage: Stage) => {
    await stage.chain.kill();
    stage.go();
    await stage.told('transactions wait');
    await stage.chain.restart(OTHERS_BLOCKS);
  },
  'is killed with the coordinator, and both are back, the chain without the blocks of the job': async (
    stage: Stage,
  ) => {
    await Promise.all([stage.chain.kill(), stage.killCoordinator()]);
    await stage.chain.restart(OTHERS_BLOCKS);
    stage.startCoordinator();
  },
  'is restarted in order': async ({ chain, go }: Stage) => {
    await chain.halt();
    await chain.restart();
    go();
  },
} as const satisfies Readonly<Record<string, (stage: Stage) => Promise<void>>>;

/** One harm at one point. */
export interface ChainCase {
  readonly harm: keyof typeof HARMS;
  readonly point: string;
  /** Its row in the document. */
  readonly name: string;
}

/** Every harm at every point. */
export const CHAIN_CASES: readonly ChainCase[] = (Object.keys(HARMS) as ChainCase['harm'][]).flatMap((harm) =>
  // With nothing more to send, an outbox looks three times at a shorter chain before it believes it: half a minute.
  POINTS.filter((point) => harm !== SHORTER || point !== LATE).map((point) => ({
    ...{ harm, point },
    name: `the node ${harm}; coordinator at ${point.replace('#2', ', round 2')}`,
  })),
);
