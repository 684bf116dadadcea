import type { Collecting, JobState } from '../../coordinator/round/state.ts';
import type { Rng } from '../../shared/rng.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { TURN } from './agenda.ts';
import type { Crowd, CrowdFacts } from './crowd.ts';
import type { Device, Luck } from './devices.ts';
import { carried, sending, type Timetable, timetable } from './timetable.ts';

/** What a client is making: an update of the model that a round began with. */
interface Work {
  /** The round that it was begun in. */
  readonly plan: RoundPlan;
  readonly luck: Luck;
  readonly times: Timetable;
  /** preparing -> waiting when trained; waiting -> sending when a round is open; sending -> waiting when it came too late. */
  stage: 'preparing' | 'waiting' | 'sending';
}

/** A client that is connected. */
interface Member {
  readonly client: number;
  /** What it heard last: the round that is open, or that none is, and as of when. */
  heard: { readonly plan: RoundPlan | null; readonly of: number };
  /** Its coordinator knows that it is there. */
  isIn: boolean;
  work: Work | null;
  /** Milliseconds that its messages take. */
  latencyMs: number;
}

/**
 * Clients as `client/session/buffering.ts` has them: each trains on whatever rounds close, offers what it has to the round
 * that is open then, again to the next where it came too late, and begins anew where its model has become too old. So many
 * are connected as are to be at work at a time: who has delivered or dropped out leaves, and one that rests takes its
 * place, drawn at random; where nobody rests it stays and waits for the next round.
 *
 * @param places - how many are connected
 * @param maxStaleness - how many rounds old a model may be
 * @param rng - draws who is next
 */
export function createBufferedCrowd(facts: CrowdFacts, places: number, maxStaleness: number, rng: Rng): Crowd {
  const { agenda, devices, examples, modelBytes, updateBytes, tally, clock } = facts;
  const resting = devices.map((_, client) => client);
  const members = new Map<number, Member>();
  /** Pieces of work that each client has begun: each has luck of its own. */
  const pieces = devices.map(() => 0);
  /** The attempt that each client has answered last. */
  const settled = devices.map((): RoundPlan | null => null);

  const deviceOf = ({ client }: Member): Device => devices[client] as Device;
  const isThere = (member: Member): boolean => members.get(member.client) === member;
  /** Something that happens to a client, if it is still connected by then. */
  const later = (member: Member, at: number, act: (at: number) => void): void => {
    agenda.add(at, TURN.message, (now) => {
      if (isThere(member)) act(now);
    });
  };

  const hear = (member: Member, plan: RoundPlan | null, of: number): void => {
    later(member, agenda.now + member.latencyMs, (at) => {
      // Messages may overtake each other: only the latest word counts.
      if (of < member.heard.of) return;
      member.heard = { plan, of };
      goOn(member, at);
    });
  };

  /** What the open round leads to, as far as the client knows of one. */
  const goOn = (member: Member, at: number): void => {
    const { plan } = member.heard;
    const { work } = member;
    if (plan === null || isSame(plan, settled[member.client] ?? null)) return;
    if (work === null) begin(member, plan, at);
    else if (work.stage === 'sending') return;
    else if (plan.round - work.plan.round > maxStaleness) {
      giveUp(member, work, at);
      begin(member, plan, at);
    } else if (work.stage === 'waiting') send(member, work, plan, at);
  };

  const begin = (member: Member, plan: RoundPlan, at: number): void => {
    const { client } = member;
    const luck = facts.luck(client, `piece ${(pieces[client] as number)++}`);
    const times = timetable(deviceOf(member), luck, at, examples[client] as number);
    const work: Work = { plan, luck, times, stage: 'preparing' };
    member.work = work;
    member.latencyMs = luck.latencyMs;
    later(member, times.trainedAt, (now) => {
      if (member.work !== work) return;
      tally.add('bytesDown', modelBytes);
      if (luck.drops) {
        ended('dropped');
        breakOff(member, now);
        return;
      }
      work.stage = 'waiting';
      goOn(member, now);
    });
  };

  const send = (member: Member, work: Work, plan: RoundPlan, at: number): void => {
    work.stage = 'sending';
    const { client } = member;
    later(member, sending(deviceOf(member), work.luck, at).arrivesAt, (now) => {
      tally.add('bytesUp', updateBytes);
      const verdict = clock().submit(client, plan, work.plan.parentRoot, examples[client] as number, now);
      later(member, now + member.latencyMs, (told) => {
        settled[client] = plan;
        if (verdict === 'late') {
          tally.add('reoffered', 1);
          work.stage = 'waiting';
          goOn(member, told);
          return;
        }
        member.work = null;
        if (verdict === 'rejected') ended('superseded');
        makeRoom(member, told);
      });
    });
  };

  const giveUp = (member: Member, { stage, times }: Work, at: number): void => {
    ended('superseded');
    if (stage === 'preparing') {
      tally.add('bytesDown', carried(modelBytes, at, times.fetchesAt, deviceOf(member).downMs));
    }
  };

  const ended = (how: 'dropped' | 'superseded'): void => {
    tally.add(how, 1);
    tally.add('asked', 1);
  };

  /** After a delivery: another one's turn. */
  const makeRoom = (member: Member, at: number): void => {
    const next = draw();
    if (next === null) {
      goOn(member, at);
      return;
    }
    part(member, at);
    connect(next, at);
  };

  /** A connection that broke: another one's turn, or its own again. */
  const breakOff = (member: Member, at: number): void => {
    const next = draw();
    if (next !== null) part(member, at);
    connect(next ?? member.client, at);
  };

  const part = (member: Member, at: number): void => {
    members.delete(member.client);
    resting.push(member.client);
    agenda.add(at + member.latencyMs, TURN.message, (now) => {
      if (!members.get(member.client)?.isIn) clock().leave(member.client, now);
    });
  };

  /** One of those that rest, which then rest no more; null if nobody does. */
  const draw = (): number | null => {
    if (resting.length === 0) return null;
    const at = rng.below(resting.length);
    const drawn = resting[at] as number;
    resting[at] = resting.at(-1) as number;
    resting.pop();
    return drawn;
  };

  const connect = (client: number, at: number): void => {
    const { latencyMs } = facts.luck(client, `connection ${pieces[client]}`);
    const member: Member = { client, heard: { plan: null, of: -1 }, isIn: false, work: null, latencyMs };
    members.set(client, member);
    later(member, at + latencyMs, (now) => {
      member.isIn = true;
      clock().join(client, now);
      const { state } = clock();
      hear(member, state.phase === 'collecting' ? state.plan : null, now);
    });
  };

  const announce = (plan: RoundPlan | null, at: number): void => {
    for (const member of members.values()) if (member.isIn) hear(member, plan, at);
  };

  return {
    arrive: () => {
      for (let place = 0; place < places; place++) connect(draw() as number, 0);
    },
    closed: (before: Collecting, event, after: JobState) => {
      const answers = Object.values(before.answers).filter(({ verdict }) => verdict === 'accepted').length;
      const accepted = answers + (event.type === 'updateAccepted' ? 1 : 0);
      tally.add('asked', accepted);
      if (after.phase !== 'aggregating') tally.add('discarded', accepted);
      announce(null, event.at);
    },
    opened: ({ plan }, at) => announce(plan, at),
  };
}

function isSame(plan: RoundPlan, other: RoundPlan | null): boolean {
  return other !== null && plan.round === other.round && plan.attempt === other.attempt;
}
