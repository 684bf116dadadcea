import { createWallet, type Signer } from '../../../contracts/wallet.ts';
import type { Hex } from '../../../shared/bytes.ts';
import type { JobStateMessage } from '../../../shared/protocol/messages.ts';
import { isAsked } from '../../../shared/round/sampling.ts';
import { benchKey } from '../bench-job.ts';
import { createPutLane } from '../http-put.ts';
import { connectParty, type Party, type Venue } from '../party.ts';
import { type BenchUpdate, updateFamily } from '../updates.ts';
import { serveParent } from './serve-parent.ts';

/** The clients that one process holds. */
export interface CrowdStart {
  /** The coordinator's address. */
  readonly url: string;
  /** The job. */
  readonly job: Hex;
  /** The coordinator's wallet address. */
  readonly coordinator: Hex;
  /** EIP-155 chain id, decimal. */
  readonly chainId: string;
  /** The job's RoundAnchor. */
  readonly anchor: Hex;
  /** Coordinates of an update, padding included. */
  readonly dimension: number;
  /** Coordinates in use. */
  readonly parameters: number;
  /** Number of the first client: it has its key from it. */
  readonly first: number;
  /** Clients. */
  readonly count: number;
  /** Whether the first client joins only when the round is to begin, which waits for it. */
  readonly holdsOpener: boolean;
}

/** What the clients of one process have seen; times in milliseconds since 1970. */
export interface CrowdTimes {
  /** Began to connect. */
  readonly startedAt: number;
  /** Each client's answer to its join. */
  readonly joinedAt: readonly number[];
  /** Each client's first sight of the open round. */
  readonly openedAt: readonly number[];
  /** Each asked client's receipt. */
  readonly receiptAt: readonly number[];
  /** Each client's sight of the next model. */
  readonly closedAt: readonly number[];
  /** Notices received by all. */
  readonly notices: number;
  /** Connections lost. */
  readonly losses: number;
}

interface Member {
  readonly party: Party;
  readonly signer: Signer;
  readonly update: BenchUpdate;
  isAnswering: boolean;
}

/** Many clients in one process, each with its own sockets, key, session and update. */
export async function runCrowdWorker(): Promise<void> {
  const seen = { startedAt: 0, notices: 0, losses: 0 };
  const times = {
    joinedAt: [] as number[],
    openedAt: [] as number[],
    receiptAt: [] as number[],
    closedAt: [] as number[],
  };
  const members: Member[] = [];
  let opener: Member | undefined;
  let fail: (error: Error) => void = () => {};
  let finish: () => void = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    [finish, fail] = [resolve, reject];
  });
  ended.catch(() => {});

  const answer = async (member: Member, { plan }: JobStateMessage): Promise<void> => {
    if (!plan) return;
    const lane = createPutLane();
    await member.party.upload(plan, member.update, lane);
    await member.party.submit(plan, member.update);
    lane.close();
    times.receiptAt.push(now());
  };
  const look = (member: Member, state: JobStateMessage): void => {
    if (state.phase === 'failed') fail(new Error(state.reason ?? 'the job failed'));
    if (state.phase === 'closed') {
      times.closedAt.push(now());
      if (times.closedAt.length === members.length) finish();
    }
    if (state.phase !== 'collecting' || !state.plan || member.isAnswering) return;
    member.isAnswering = true;
    times.openedAt.push(now());
    if (isAsked(state.draw, state.plan, member.signer.address)) answer(member, state).catch(fail);
  };
  const join = async (member: Member): Promise<void> => {
    const state = await member.party.join();
    times.joinedAt.push(now());
    look(member, state);
  };

  await serveParent({
    connect: async ({ first, count, holdsOpener, dimension, parameters, chainId, anchor, ...where }: CrowdStart) => {
      const venue: Venue = { ...where, domain: { chainId: BigInt(chainId), anchor } };
      const family = updateFamily(dimension, parameters, 1);
      const prepared = Array.from({ length: count }, (_, index) => ({
        signer: createWallet(benchKey('crowd', first + index)),
        update: family(first + index),
      }));
      seen.startedAt = now();
      await Promise.all(
        prepared.map(async (one, index) => {
          const member: Member = { ...one, party: await connectParty(venue, one.signer), isAnswering: false };
          members.push(member);
          member.party.onState((state) => {
            seen.notices++;
            look(member, state);
          });
          if (index === 0 && holdsOpener) opener = member;
          else await join(member);
        }),
      );
    },
    round: async (): Promise<CrowdTimes> => {
      if (opener) await join(opener);
      await ended;
      const losses = members.reduce((sum, { party }) => sum + party.losses(), 0);
      return { ...seen, ...times, losses };
    },
  });
  for (const { party } of members) party.close();
}

/** Comparable between the processes of one machine, and finer than a millisecond. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
