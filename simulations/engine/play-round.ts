import type { RoundTraffic } from '../network/traffic.ts';
import { drawCohort } from './cohort.ts';
import { type OpenRun, samplesOf } from './open-run.ts';
import type { ClosedRound, SentUpdates } from './run-rounds.ts';
import { diverged, SimulationError } from './simulation-error.ts';
import { streamOf, streamState } from './streams.ts';
import { type Trainee, trainClients } from './training.ts';
import { firstUpdateBits, followingUpdateBits } from './update-scale.ts';
import type { Bench } from './workshop.ts';

/** Mean training loss, in nats, beyond which a run has diverged. */
const MOST_LOSS = 1e6;

/** A round as it went. */
export interface PlayedRound {
  /** Who took part, ascending. */
  readonly clients: readonly number[];
  /** Mean training loss of the honest. */
  readonly trainLoss: number | null;
  /** What it came to. */
  readonly closed: ClosedRound;
  /** How many rounds old the models were that updates were trained from, all together. */
  readonly staleness: number;
  /** What the network did; null without one. */
  readonly traffic: RoundTraffic | null;
}

/** What a client has a part in a round with. */
interface Part {
  readonly client: number;
  readonly trainedFrom: number;
}

/**
 * Plays one round: training, attack, coding, and the round function.
 *
 * @throws SimulationError `simulation/diverged`, `simulation/nobody-answered`; what the attack, the rule or the network refuses
 */
export async function playRound(run: OpenRun, round: number): Promise<PlayedRound> {
  const { spec, models, coded, attackers } = run;
  const { honest } = spec;
  const traffic = run.network?.next() ?? null;
  const parts = takePart(run, round, traffic);
  const clients = parts.map(({ client }) => client);

  run.at('training');
  const trained = await train(run, round, parts);
  run.at('attack');
  const honestParts = parts.filter(({ client }) => client < honest);
  const sincere = honestParts.map(({ client }) => valuesOf(trained.updates, client));
  const bad = clients.filter((client) => client >= honest);
  run.updateBits ??= firstUpdateBits(
    sincere.length > 0 ? sincere : [...trained.updates.values()].map(({ values }) => values),
  );
  const updateBits = run.updateBits;
  const forged = bad.length === 0 ? [] : await send(run, round, clients.length, sincere, bad, trained.updates);

  run.at('encoding');
  const rows = coded.rows.slice(0, clients.length);
  const sources = clients.map((client) =>
    client < honest ? valuesOf(trained.updates, client) : (forged[bad.indexOf(client)] as Float32Array),
  );
  const magnitudes = encode(run, round, clients, sources, rows, updateBits);

  run.at('aggregation');
  const sent: SentUpdates = {
    ...{ clients, magnitudes, rows: { place: 'memory', rows } },
    samples: clients.map((client) => {
      const own = samplesOf(spec, run.data.counts[client] || (run.data.counts[0] as number));
      return client < honest ? own : attackers.claim(own);
    }),
    stalenesses: parts.map(({ trainedFrom }) => round - 1 - trainedFrom),
  };
  const closed = await run.rounds.close(sent, updateBits);
  models.push(closed.model);
  run.updateBits = followingUpdateBits(updateBits, magnitudes, round);
  run.at('other');
  const staleness = sent.stalenesses.reduce((sum, one) => sum + one, 0);
  return { clients, trainLoss: trained.loss, closed, staleness, traffic };
}

function takePart({ spec }: OpenRun, round: number, traffic: RoundTraffic | null): Part[] {
  const { honest, byzantine, sampled, seed } = spec;
  if (traffic === null) {
    const clients = drawCohort(honest + byzantine, sampled, seed, round);
    return clients.map((client) => ({ client, trainedFrom: round - 1 }));
  }
  if (traffic.deliveries.length === 0) {
    throw new SimulationError('simulation/nobody-answered', `no update arrived in round ${round}: give it more time`, {
      round,
    });
  }
  return [...traffic.deliveries].sort((a, b) => a.client - b.client);
}

/** Trains those who train; those at one model next to each other, so that they are trained together. */
async function train(
  run: OpenRun,
  round: number,
  parts: readonly Part[],
): Promise<{ readonly updates: ReadonlyMap<number, Bench>; readonly loss: number | null }> {
  const { spec, data, room, models, states, attackers } = run;
  const { honest, seed } = spec;
  const training = parts.filter(({ client }) => client < honest || attackers.train);
  const loaded = states.load(training.map(({ client }) => client));
  const byModel = training
    .map(({ client, trainedFrom }, index) => ({ client, trainedFrom, update: loaded[index] as Bench }))
    .sort((a, b) => b.trainedFrom - a.trainedFrom || a.client - b.client)
    .map(({ client, trainedFrom, update }): Trainee => ({ client, weights: models.after(trainedFrom), update }));
  const isSeparate = data.attackers !== data.examples;
  const together = isSeparate ? byModel.filter(({ client }) => client < honest) : byModel;
  const apart = isSeparate ? byModel.filter(({ client }) => client >= honest) : [];
  const rng = streamOf(seed, 'training', round);
  const losses = await trainClients(room, together, data.examples, data.batches, rng);
  await trainClients(room, apart, data.attackers, data.batches, rng);
  const honestLosses = [...losses].filter((_, index) => (together[index] as Trainee).client < honest);
  const loss = honestLosses.length === 0 ? null : honestLosses.reduce((sum, one) => sum + one, 0) / honestLosses.length;
  if (loss !== null && !(loss <= MOST_LOSS)) {
    const sentence = `the training loss of round ${round} is ${loss}: take a smaller learning rate, or a rule that withstands the attack`;
    throw diverged(sentence, { round });
  }
  return { updates: new Map(training.map(({ client }, index) => [client, loaded[index] as Bench])), loss };
}

async function send(
  run: OpenRun,
  round: number,
  participants: number,
  honest: readonly Float32Array[],
  bad: readonly number[],
  updates: ReadonlyMap<number, Bench>,
): Promise<readonly Float32Array[]> {
  const { attackers, models, oracle, serverRate } = run;
  const own = attackers.train ? bad.map((client) => valuesOf(updates, client)) : [];
  const lastMove = (): Float32Array | null => {
    const move = models.lastMove();
    if (move === null) return null;
    for (let at = 0; at < move.length; at++) move[at] = (move[at] as number) / serverRate;
    return move;
  };
  const aggregate = oracle.during(round, run.updateBits as number);
  return attackers.send({ round, byzantine: bad.length, participants, honest, own, lastMove, aggregate });
}

/** Codes what is sent, a vector that several send once; its sender is the first of them. */
function encode(
  { spec, room }: OpenRun,
  round: number,
  clients: readonly number[],
  sources: readonly Float32Array[],
  rows: readonly Int16Array[],
  updateBits: number,
): number[] {
  const firsts = clients.map((_, index) => sources.indexOf(sources[index] as Float32Array));
  const distinct = firsts.flatMap((first, index) => (first === index ? [index] : []));
  const codings = distinct.map((index) => ({
    values: sources[index] as Float32Array,
    stream: streamState(spec.seed, 'rounding', clients[index] as number, round),
    into: rows[index] as Int16Array,
  }));
  const found = room.workshop.encode(codings, updateBits);
  const magnitudes = new Map(distinct.map((index, at) => [index, (found[at] as { largest: number }).largest]));
  for (const [index, first] of firsts.entries()) {
    if (first !== index) (rows[index] as Int16Array).set(rows[first] as Int16Array);
  }
  return firsts.map((first) => magnitudes.get(first) as number);
}

function valuesOf(updates: ReadonlyMap<number, Bench>, client: number): Float32Array {
  return (updates.get(client) as Bench).values;
}
