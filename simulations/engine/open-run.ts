import type { MemoryRows } from '../../shared/aggregation/engine.ts';
import { BLOCK, LEARNING_RATE_BITS } from '../../shared/fixed-point/constants.ts';
import type { Layout } from '../../shared/fixed-point/layout.ts';
import { encodeModel } from '../../shared/fixed-point/model.ts';
import { powerOfTwo } from '../../shared/fixed-point/power-of-two.ts';
import { resolveAttack } from '../attacks/registry.ts';
import type { Dataset } from '../data/dataset.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import type { Learner } from '../models/learner.ts';
import { createNetwork } from '../network/network.ts';
import type { Network } from '../network/traffic.ts';
import { isOwnFile } from '../own-file.ts';
import { type Attackers, attackersTrain, createAttackers } from './attackers.ts';
import { type ClientData, cutData } from './client-data.ts';
import { type ClientRows, createClientRows } from './client-rows.ts';
import { layoutOfLearner, termsOfRun } from './manifest-of-run.ts';
import { createModels, type Models, splitTensors } from './models-of-run.ts';
import { loadOwnRules } from './own-rules.ts';
import { createOracle, type Oracle } from './rule-oracle.ts';
import type { RunHooks, RunResources } from './run-resources.ts';
import { createRunRounds, type RunRounds } from './run-rounds.ts';
import { SimulationError } from './simulation-error.ts';
import type { RunPart } from './stopwatch.ts';
import { streamOf } from './streams.ts';
import { type TrainingRoom, trainedTogether } from './training.ts';
import { createWorkshop } from './workshop.ts';

/** Bytes of clients' vectors that stay in memory; more only if the participants of one round need more. */
const STATE_BYTES = 256 * 2 ** 20;

/** A run that was begun. */
export interface OpenRun {
  /** What is run. */
  readonly spec: RunSpec;
  /** The data. */
  readonly dataset: Dataset;
  /** The model. */
  readonly learner: Learner;
  /** How vectors are coded. */
  readonly layout: Layout;
  /** What clients train on. */
  readonly data: ClientData;
  /** The vectors that clients keep. */
  readonly states: ClientRows;
  /** Where clients train. */
  readonly room: TrainingRoom;
  /** Those who attack. */
  readonly attackers: Attackers;
  /** The rule, for those who try it out. */
  readonly oracle: Oracle;
  /** The models of the last rounds. */
  readonly models: Models;
  /** Production's rounds. */
  readonly rounds: RunRounds;
  /** Where coded updates lie. */
  readonly coded: MemoryRows;
  /** Who answers when; null where everybody answers at once. */
  readonly network: Network | null;
  /** The server's learning rate, 1 for steps whose moves it does not tell. */
  readonly serverRate: number;
  /** Scale of the next round's updates; null before round 1. */
  updateBits: number | null;
  /** Tells what the run is at. */
  at(part: RunPart): void;
  /** Gives back what it holds, and removes what it has on disk. */
  close(): void;
}

/**
 * Begins a run.
 *
 * @throws FedanchorError of the room that refuses: attack, partition, rule, network, simulation
 */
export async function openRun(spec: RunSpec, resources: RunResources, hooks: RunHooks): Promise<OpenRun> {
  const { dataset, learner, engine, folder, baseFolder, stateBytes = STATE_BYTES } = resources;
  const { training, honest, byzantine, knowledge, seed } = spec;
  checkRun(spec);
  const chosen = spec.attack === null || byzantine === 0 ? null : await resolveAttack(spec.attack, baseFolder);
  const book = await loadOwnRules([spec.rule.rule], baseFolder);
  const train = byzantine > 0 && attackersTrain(chosen?.attack ?? null, knowledge);
  const data = await cutData(spec, dataset, chosen, train, baseFolder);
  const layout = layoutOfLearner(learner);
  const cap = Math.max(1, ...data.counts.map((count) => samplesOf(spec, count)));
  const terms = termsOfRun(spec, spec.sampleCap ?? cap, book);

  const clients = honest + byzantine;
  const network = spec.network === null ? null : networkOf(spec, data, layout);
  const participants = Math.min(clients, mostParticipants(spec));
  const together = trainedTogether(layout.parameters, participants);
  const kept = Math.min(clients, Math.floor(stateBytes / (4 * layout.parameters)));
  const stateRows = Math.max(participants, kept);
  const localRows = training.mode === 'local' ? together : 0;
  const workshop = createWorkshop(layout, learner, 1 + stateRows + together + localRows);
  const [anchor, ...benches] = workshop.benches as [(typeof workshop.benches)[number]];
  const states = createClientRows(benches.slice(0, stateRows), folder);
  const gradients = benches.slice(stateRows, stateRows + together);
  const locals = benches.slice(stateRows + together);

  const initial = learner.initial(streamOf(seed, 'model'));
  const { vector: model } = encodeModel(layout, splitTensors(layout, initial));
  return {
    ...{ spec, dataset, learner, layout, data, states, network },
    room: { learner, workshop, anchor, gradients, locals, training },
    attackers: createAttackers(chosen, knowledge, dataset, seed),
    oracle: createOracle({ engine, rule: terms.aggregation.rule, book, parameters: layout.parameters }, seed),
    models: createModels(layout, model, modelsKept(spec)),
    rounds: createRunRounds({ spec, terms, layout, book, engine, model, onRecord: hooks.onRecord?.bind(hooks) }),
    coded: engine.allocate(participants, Math.ceil(layout.dimension / BLOCK) * BLOCK),
    serverRate: spec.server.name === 'FedAvg' ? spec.server.learningRate / powerOfTwo(LEARNING_RATE_BITS) : 1,
    updateBits: null,
    at: (part) => hooks.stopwatch?.at(part),
    close: () => {
      states.close();
      workshop.close();
    },
  };
}

/** The samples that a client states that has so many: those of a batch where it sends a gradient, else all. */
export function samplesOf({ training }: Pick<RunSpec, 'training'>, count: number): number {
  return training.mode === 'gradient' ? Math.min(training.batch, count) : count;
}

function checkRun({ rule, commit, training }: RunSpec): void {
  if (commit && [rule.rule, ...rule.pre].some(isOwnFile)) {
    const sentence = `the rule ${rule.rule} is known to this simulation alone, so no record can name it: leave commit out`;
    throw new SimulationError('simulation/rule-not-committable', sentence, { rule: rule.rule });
  }
  const { mode, steps, epochs } = training;
  if (mode === 'local' && (steps === null) === (epochs === null)) {
    const sentence = 'local training takes a number of steps or of epochs: give one of the two';
    throw new SimulationError('simulation/bad-training', sentence, { steps, epochs });
  }
}

function networkOf(spec: RunSpec, { counts }: ClientData, layout: Layout): Network {
  const { training, honest, byzantine, sampled, rounds, seed } = spec;
  const typical = counts[0] ?? 1;
  const work = (count: number): number => {
    if (training.mode === 'gradient') return Math.min(training.batch, count);
    return training.steps === null ? (training.epochs ?? 1) * count : training.steps * Math.min(training.batch, count);
  };
  // Attackers without data pretend to the work of the first client.
  const examplesPerClient = counts.map((count) => work(count === 0 ? typical : count));
  const bytes = { updateBytes: 2 * layout.dimension, modelBytes: 4 * layout.dimension };
  const facts = { clients: honest + byzantine, sampled, rounds, examplesPerClient, ...bytes, seed };
  return createNetwork(spec.network as NonNullable<RunSpec['network']>, facts);
}

function mostParticipants({ network, sampled, honest, byzantine }: RunSpec): number {
  if (network?.mode.kind === 'buffered') return network.mode.size;
  return sampled ?? honest + byzantine;
}

function modelsKept({ network }: RunSpec): number {
  return network?.mode.kind === 'buffered' ? network.mode.maxStaleness + 1 : 1;
}
